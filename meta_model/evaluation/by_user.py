"""Means by user, where a user was judged several times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def mean_by_user(
    users: Sequence[Tensor], values: Mapping[str, Sequence[Tensor]]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Distinct users [U], ascending, and each one's mean [U] of the values, by name.

    users: of each part, [P]; values: of each part, [P], in the same order
    """
    distinct, rows = torch.cat([*users]).unique(return_inverse=True)
    times = rows.bincount().double()

    def mean(parts: Sequence[Tensor]) -> Tensor:
        sums: Tensor = torch.zeros_like(times).index_add_(0, rows, torch.cat([*parts]).double())
        means: Tensor = sums / times
        return means

    return distinct, {name: mean(parts) for name, parts in values.items()}
