"""Inputs and state of a method: catalogues, positions, supports and states.

Catalogues and states are generic in two types of the method: what it computes of the items of a
catalogue, once for all tasks, and its state of each task.

Shapes: B tasks, N positions (S of the support), M items, K thresholds between rating levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor

from meta_model.encoders.item_encoder import EmbeddedItems

MethodItems = TypeVar("MethodItems")
MethodState = TypeVar("MethodState")


@dataclass(frozen=True, kw_only=True)
class Catalogue(Generic[MethodItems]):
    """Embedded items, and what the method computes of their vectors."""

    items: EmbeddedItems
    method_items: MethodItems


@dataclass(frozen=True, kw_only=True)
class Positions:
    """Positions of a padded batch, as a method sees them.

    rows: [B, N], the items' rows in the catalogue; [1, N] for the same items in all tasks
    side_features: [B, N, F] or [1, N, F]; baseline: [B, N], the baseline predictor; zero
    without the config's `baseline`
    """

    rows: Tensor
    side_features: Tensor
    baseline: Tensor


@dataclass(frozen=True, kw_only=True)
class Support:
    """The support set: its positions, ratings [B, S], and the weight [B, S] of each.

    The weights are 1 / (n_u + `local_update.support_damping`), and 0 at padding: a task's loss is
    the weighted sum over positions.
    """

    positions: Positions
    ratings: Tensor
    weight: Tensor

    @property
    def mask(self) -> Tensor:
        """True [B, S] at interactions, False at padding."""
        return self.weight > 0

    @property
    def residual(self) -> Tensor:
        """Ratings minus the baseline predictor, [B, S]; padding is not masked."""
        return self.ratings - self.positions.baseline


@dataclass(frozen=True, kw_only=True)
class State(Generic[MethodState]):
    """A batch of tasks before or after their local update.

    vectors: [B, U], the encoded users; bias: [B, 1], b_u
    threshold_offsets: [B, K]; zero where a likelihood has no thresholds
    is_cold: [B, 1], whether all of a task's items are shown as cold ones
    method_state: what the method keeps of each task, such as its adapted parameters
    """

    vectors: Tensor
    bias: Tensor
    threshold_offsets: Tensor
    is_cold: Tensor
    method_state: MethodState
