"""The rate of training for choices, and how much of earlier gradients its steps keep.

The shape is that of PyTorch's OneCycleLR with its defaults: the rate rises to its highest and falls
to almost nothing, each by half a cosine, while momentum goes the other way. It is by the share of
tasks seen, because the number of batches is not known before they are read: each buffer of rows
ends with a short one.
"""

from __future__ import annotations

import math

import torch

_RISES = 0.3  # of the training
_FIRST, _LAST = 1 / 25, 1 / 250_000  # of the highest rate
_MOMENTUM, _LEAST_MOMENTUM = 0.95, 0.85


def set_rate(optimizer: torch.optim.Optimizer, highest: float, share: float) -> None:
    """Set the rate and the first beta of AdamW; `share`: of the tasks of all epochs, those seen."""
    if share < _RISES:
        lowest, position = _FIRST, share / _RISES
    else:
        lowest, position = _LAST, (1 - share) / (1 - _RISES)
    height = (1 - math.cos(math.pi * position)) / 2  # 0: the lowest rate, 1: the highest
    for group in optimizer.param_groups:
        group["lr"] = highest * (lowest + (1 - lowest) * height)
        momentum = _MOMENTUM + (_LEAST_MOMENTUM - _MOMENTUM) * height
        group["betas"] = (momentum, group["betas"][1])
