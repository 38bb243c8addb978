"""The rate and the momentum, beside those of PyTorch's own schedule by steps."""

from __future__ import annotations

import pytest
import torch

from meta_model.choice.schedule import set_rate

STEPS = 10_000


def _optimizer() -> torch.optim.Optimizer:
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(2)]
    return torch.optim.AdamW(groups, lr=0.005)


def test_the_shape_is_that_of_one_cycle() -> None:
    ours, theirs = _optimizer(), _optimizer()
    schedule = torch.optim.lr_scheduler.OneCycleLR(theirs, 0.005, total_steps=STEPS)
    for step in range(STEPS):
        set_rate(ours, 0.005, step / (STEPS - 1))
        for one, other in zip(ours.param_groups, theirs.param_groups, strict=True):
            assert one["lr"] == pytest.approx(other["lr"], abs=2e-6)
            assert one["betas"] == pytest.approx(other["betas"], abs=1e-4)
        theirs.step()
        if step < STEPS - 1:
            schedule.step()
