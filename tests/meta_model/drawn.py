"""Learners whose every parameter tells: what starts at zero would hide what goes through it."""

from __future__ import annotations

import torch

from meta_model.learners import Learner

_STD = 0.1  # at thrice this, adaptation runs off to infinity, which hides as much as zero does


def draw_all(learner: Learner, *, seed: int = 3) -> None:
    """Draw all parameters from a seeded normal; a table's row 0 of zeros, for padding, stays."""
    generator = torch.Generator().manual_seed(seed)
    for weight in learner.parameters():
        has_padding = weight.ndim == 2 and bool(weight.any()) and not weight[0].any()
        torch.nn.init.normal_(weight, std=_STD, generator=generator)
        if has_padding:
            weight.data[0] = 0
