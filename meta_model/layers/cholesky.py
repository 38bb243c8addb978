"""Symmetric positive definite systems of many tasks at once.

`torch.linalg.cholesky` asks the device whether it succeeded, and ends with an error that says
nothing of training. Here a system without a solution gets NaN, which the check of the loss reports.

Shapes: B tasks, F unknowns, T right-hand sides.
"""

from __future__ import annotations

import torch
from torch import Tensor


def solved(matrices: Tensor, targets: Tensor) -> Tensor:
    """The solutions [B, F, T] for matrices [B, F, F] and targets [B, F, T].

    NaN where a matrix has no Cholesky factor, as where weights have become NaN or infinite.
    """
    factors, failed_at = torch.linalg.cholesky_ex(matrices)
    factors = factors.masked_fill((failed_at > 0)[:, None, None], torch.nan)
    return torch.cholesky_solve(targets, factors)
