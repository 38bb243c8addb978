"""Intervals of means: those of resamples all held at once, in blocks that bound the memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from meta_model.evaluation import bootstrap
from meta_model.evaluation.bootstrap import Bootstrap


def test_an_interval_is_that_of_resampled_means() -> None:
    draws = np.random.default_rng(1)
    values = torch.from_numpy(draws.normal(3.0, 2.0, 400))
    low, high = Bootstrap(n_users=400).interval(values)
    error = values.std().item() / 20
    mean = values.mean().item()
    assert (mean - low, high - mean) == pytest.approx((1.96 * error, 1.96 * error), rel=0.15)
    assert Bootstrap(n_users=400).interval(values) == (low, high)
    assert Bootstrap(n_users=3).interval(torch.ones(3)) == (1.0, 1.0)


def _of_all_at_once(values: Tensor) -> tuple[float, float]:
    """As published figures were computed before resamples came in blocks."""
    n, draws = len(values), torch.Generator().manual_seed(1)
    chosen = torch.randint(n, (1_000, n), generator=draws)
    counts = torch.zeros(1_000, n, dtype=torch.float64)
    counts.scatter_add_(1, chosen, torch.ones_like(chosen, dtype=torch.float64))
    means = (counts / n) @ values.double()
    low, high = torch.quantile(means, torch.tensor((0.025, 0.975), dtype=means.dtype)).tolist()
    return low, high


VALUES = [torch.rand(127, generator=torch.Generator().manual_seed(seed)) for seed in range(3)]


def test_intervals_are_to_the_last_digit_those_that_were_published() -> None:
    assert Bootstrap(n_users=127).intervals(VALUES) == [_of_all_at_once(each) for each in VALUES]


class _Cells(TorchFunctionMode):
    """The most cells of any matrix that an operation made."""

    most = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor) and made.dim() == 2:
            self.most = max(self.most, made.numel())
        return made


@pytest.mark.parametrize("most_cells", [1, 1_000, 70_000])
def test_blocks_hold_few_resamples_and_draw_the_same(
    monkeypatch: pytest.MonkeyPatch, most_cells: int
) -> None:
    monkeypatch.setattr(bootstrap, "_CELLS", most_cells)
    with _Cells() as cells:
        found = [Bootstrap(n_users=127).interval(each) for each in VALUES]
    assert cells.most <= max(most_cells, 127)
    for interval, values in zip(found, VALUES, strict=True):
        assert interval == pytest.approx(_of_all_at_once(values), abs=1e-14)
