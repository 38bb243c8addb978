"""Inputs of decision layers at the positions of a batch, in factored form.

Both types have the products that an adapted layer needs (`decision_layers`). The first layer's
input concatenates a user's vector, an item's and side features. The user is the same at all
positions of a task, and the item in all tasks: each is multiplied once, not once a position.

Shapes: B tasks, N positions (S of the support), M items, O outputs; U, I, F sizes of vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.layers.rows import at_rows


@dataclass(frozen=True, kw_only=True)
class Projected:
    """Vectors [K, V] of users or items, and their products with the first layer's shared weight.

    outputs: [K, O], with the columns of the weight for users, or for items
    """

    vectors: Tensor
    outputs: Tensor

    def detach(self) -> Projected:
        """The same vectors and outputs without gradients (first-order update)."""
        return Projected(vectors=self.vectors.detach(), outputs=self.outputs.detach())


@dataclass(frozen=True, kw_only=True)
class ConcatenatedInputs:
    """The first layer's inputs; at (b, n): users[b], items[rows[b, n]], side_features[b, n].

    users: B of them; items: M; rows: [B, N], or [1, N] for the same items in all tasks
    side_features: [B, N, F] or [1, N, F], numbers that depend on the task and the item
    """

    users: Projected
    items: Projected
    rows: Tensor
    side_features: Tensor

    def affine(self, layer: nn.Linear) -> Tensor:
        """The first layer's output [B, N, O]."""
        output = at_rows(self.items.outputs, self.rows)
        output = output + (self.users.outputs + layer.bias).unsqueeze(1)
        n_side_features = self.side_features.shape[-1]
        if not n_side_features:
            return output
        return output + self.side_features @ layer.weight[:, -n_side_features:].mT

    def inner(self, support: ConcatenatedInputs) -> Tensor:
        """Inner products [B, N, S] with the vectors at the support positions of the same task."""
        theirs = at_rows(support.items.vectors, support.rows)
        if len(self.rows) == len(support.rows):
            ours = at_rows(self.items.vectors, self.rows).mT
        else:  # the same items for all tasks: one product instead of one a task
            ours = self.items.vectors[self.rows[0]].mT
        # In this order, the gradient of the many support vectors has their memory layout.
        products = (theirs @ ours).mT
        products = products + (self.users.vectors * support.users.vectors).sum(-1)[:, None, None]
        return (
            products + self.side_features @ support.side_features.mT
            if self.side_features.shape[-1]
            else products
        )

    def squares(self) -> Tensor:
        """Squared norms [B, N]."""
        of_items = at_rows(self.items.vectors.square().sum(-1, keepdim=True), self.rows)
        of_users = self.users.vectors.square().sum(-1, keepdim=True)
        return of_users + of_items.squeeze(-1) + self.side_features.square().sum(-1)

    def outer(self, gradients: Tensor) -> Tensor:
        """The sum over all positions of the outer products gradient x vector, [O, U + I + F]."""
        of_items = self.items.vectors.new_zeros(len(self.items.vectors), gradients.shape[-1])
        of_items = of_items.index_add(0, self.rows.flatten(), gradients.flatten(0, 1))
        of_side_features = gradients.flatten(0, 1).mT @ self.side_features.flatten(0, 1)
        of_users = gradients.sum(1).mT @ self.users.vectors
        return torch.cat([of_users, of_items.mT @ self.items.vectors, of_side_features], dim=1)

    def detach(self) -> ConcatenatedInputs:
        """The same inputs without gradients (first-order update)."""
        return ConcatenatedInputs(
            users=self.users.detach(),
            items=self.items.detach(),
            rows=self.rows,
            side_features=self.side_features.detach(),
        )


@dataclass(frozen=True, kw_only=True)
class DenseInputs:
    """Inputs of the other layers: a vector at each position, [B, N, I]."""

    vectors: Tensor

    def affine(self, layer: nn.Linear) -> Tensor:
        """The layer's output [B, N, O] with its shared weight and bias."""
        return F.linear(self.vectors, layer.weight, layer.bias)

    def inner(self, support: DenseInputs) -> Tensor:
        """Inner products [B, N, S] with the vectors at the support positions of the same task."""
        return self.vectors @ support.vectors.mT

    def detach(self) -> DenseInputs:
        """The same inputs without gradients (first-order update)."""
        return DenseInputs(vectors=self.vectors.detach())

    def outer(self, gradients: Tensor) -> Tensor:
        """The sum over all positions of the outer products gradient x vector, [O, I]."""
        return gradients.flatten(0, 1).mT @ self.vectors.flatten(0, 1)
