"""The interactions of a batch of tasks, padded, and what their users were asked about.

Shapes: B tasks, N positions, A items asked about. A position whose mask is False is padding: its
item is 0 and its rating 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class InteractionSet:
    """The support set or the query set of each task, padded.

    rows: the interactions' items, as rows of the batch's items; ratings, mask: [B, N] each
    days: when, [B, N], in days since 1970-01-01; 0 where no time is known
    """

    rows: Tensor
    ratings: Tensor
    days: Tensor
    mask: Tensor

    def map(self, function: Callable[[Tensor], Tensor]) -> InteractionSet:
        """The set with `function` applied to each of its tensors."""
        return InteractionSet(
            **{field.name: function(getattr(self, field.name)) for field in fields(self)}
        )

    def only(self, mask: Tensor) -> InteractionSet:
        """What is where `mask` [B, N] says; the other positions are padding."""
        return self.map(lambda tensor: tensor * mask)

    def prefix(self, mask: Tensor) -> InteractionSet:
        """What is where `mask` says, without the positions that are padding in every task."""
        ends = torch.arange(1, mask.shape[1] + 1, device=mask.device)
        width = max(1, int((ends * mask).max()))  # learners need one position, even of padding
        return self.map(lambda tensor: (tensor * mask)[:, :width])

    def hidden(self) -> InteractionSet:
        """An empty set of the same width: all positions are padding."""
        return self.map(torch.zeros_like)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What each user was asked about; the support has the answers of those who knew an item.

    items: by item index, [B, A]; rates: the share of all users who know each, [B, A]
    """

    items: Tensor
    rates: Tensor

    def map(self, function: Callable[[Tensor], Tensor]) -> Asked:
        """The same with `function` applied to each of its tensors."""
        return Asked(items=function(self.items), rates=function(self.rates))
