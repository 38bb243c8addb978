"""Adapted rows of embedding tables: a task adapts the rows of its support's feature values.

Adapted rows are differences from the shared table; those of all tasks of a batch are stacked. A
slot is the number of a task's adapted row, from 1; 0 is a value that the task does not adapt.

Shapes: B tasks, N positions, K = F * W values of F features, P rows, E the size of an embedding.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.encoders.embedding import Attributes


@dataclass(frozen=True, kw_only=True)
class FeatureValues:
    """The feature values [N, K] of entities, and the weight of each in its feature's mean."""

    numbers: Tensor
    weights: Tensor

    @staticmethod
    def of(attributes: Attributes, indices: Tensor) -> FeatureValues:
        """The values of users or items [N], and weights that are 0 for an unknown value."""
        values, weights = attributes(indices)
        known = weights.unsqueeze(-1) * (values > 0)
        return FeatureValues(numbers=values.flatten(1), weights=known.flatten(1))


def slots_of(values: Tensor, mask: Tensor, n_values: int) -> Tensor:
    """The slot of each value of a table in each task, [B, values in all].

    values: [B, S, K], those of the support; mask: [B, S]
    """
    seen = torch.zeros(len(values), n_values, dtype=torch.bool, device=values.device)
    seen.scatter_(1, (values * mask.unsqueeze(-1)).flatten(1), value=True)
    seen[:, 0] = False
    return seen.flatten().cumsum(0).view_as(seen) * seen


def means(rows: Tensor, weights: Tensor, n_features: int) -> Tensor:
    """Each feature's weighted sum [..., F * E] of rows [..., K, E], by weights [..., K]."""
    weighted: Tensor = rows * weights.unsqueeze(-1)
    weighted = weighted.unflatten(-2, (n_features, _width(weights, n_features)))
    return weighted.sum(-2).flatten(-2)


def found_means(
    slots: Tensor, values: Tensor, weights: Tensor, rows: Tensor, n_features: int
) -> Tensor:
    """The same [B, N, F * E] over the adapted rows [P, E] of values [B or 1, N, K].

    Most values are padding, or not in the task's support: only the others are looked up.
    """
    n_tasks, n_positions, n_values = len(slots), values.shape[1], values.shape[2]
    found = slots.gather(1, values.flatten(1).expand(n_tasks, -1))
    tasks, columns = found.nonzero(as_tuple=True)
    weight = weights.flatten(1).expand(n_tasks, -1)[tasks, columns]
    weighted = rows.index_select(0, found[tasks, columns] - 1) * weight.unsqueeze(1)
    cells = (tasks * (n_positions * n_values) + columns) // max(1, _width(values, n_features))
    size = rows.shape[-1]
    sums = weighted.new_zeros(n_tasks * n_positions * n_features, size)
    return sums.index_add(0, cells, weighted).view(n_tasks, n_positions, n_features * size)


def _width(values: Tensor, n_features: int) -> int:
    """W; entities without any feature have no values."""
    return values.shape[-1] // max(1, n_features)
