"""What goes into a decision layer at a batch's places, without forming what can stay apart.

Both classes offer the few products that an adapted layer needs (`decision_layers`). The first
layer's input is a user's vector beside an item's: a user's part is the same at all of a task's
places and an item's in all tasks, so each is multiplied once, not once a place.

Shapes: B tasks, N places (S of the support), M items, O outputs; U, I, F sizes of vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """The vector at place (b, n): users[b], items[rows[b, n]] and details[b, n], concatenated.

    users: [B, U]; items: [M, I]; rows: [B, N], or [1, N] for the same items in all tasks
    details: [B, N, F] or [1, N, F], a few numbers that differ from place to place
    """

    users: Tensor
    items: Tensor
    rows: Tensor
    details: Tensor

    def affine(self, layer: nn.Linear) -> Tensor:
        """The layer's output [B, N, O]."""
        sizes = [part.shape[-1] for part in (self.users, self.items, self.details)]
        of_users, of_items, of_details = torch.split(layer.weight, sizes, dim=1)
        output = F.linear(self.users, of_users, layer.bias).unsqueeze(1)
        output = output + F.embedding(self.rows, F.linear(self.items, of_items))
        return output + self.details @ of_details.mT if sizes[2] else output

    def inner(self, support: Pairs) -> Tensor:
        """Inner products [B, N, S] with the vectors at the same tasks' support places."""
        theirs = F.embedding(support.rows, support.items)
        if len(self.rows) == len(support.rows):
            products = F.embedding(self.rows, self.items) @ theirs.mT
        else:  # the same items for all tasks: one product instead of one a task
            products = (theirs @ self.items[self.rows[0]].mT).mT
        products = products + (self.users * support.users).sum(-1)[:, None, None]
        return products + self.details @ support.details.mT if self.details.shape[-1] else products

    def squares(self) -> Tensor:
        """Squared norms [B, N]."""
        of_items = F.embedding(self.rows, self.items.square().sum(-1, keepdim=True)).squeeze(-1)
        of_users = self.users.square().sum(-1, keepdim=True)
        return of_users + of_items + self.details.square().sum(-1)

    def outer(self, gradients: Tensor) -> Tensor:
        """The sum over all places of the outer products gradient x vector, [O, U + I + F]."""
        of_items = self.items.new_zeros(len(self.items), gradients.shape[-1])
        of_items = of_items.index_add(0, self.rows.flatten(), gradients.flatten(0, 1))
        of_details = gradients.flatten(0, 1).mT @ self.details.flatten(0, 1)
        of_users = gradients.sum(1).mT @ self.users
        return torch.cat([of_users, of_items.mT @ self.items, of_details], dim=1)

    def detach(self) -> Pairs:
        return Pairs(
            users=self.users.detach(),
            items=self.items.detach(),
            rows=self.rows,
            details=self.details.detach(),
        )


@dataclass(frozen=True, kw_only=True)
class Dense:
    """Vectors [B, N, I], one at each place."""

    vectors: Tensor

    def affine(self, layer: nn.Linear) -> Tensor:
        return F.linear(self.vectors, layer.weight, layer.bias)

    def inner(self, support: Dense) -> Tensor:
        return self.vectors @ support.vectors.mT

    def outer(self, gradients: Tensor) -> Tensor:
        return gradients.flatten(0, 1).mT @ self.vectors.flatten(0, 1)
