"""What a method is given, and what it keeps: catalogues, places, supports and states.

Shapes: B tasks, N places (S of the support), M items, K thresholds between rating levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from meta_model.encoders.item_side import EmbeddedItems


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Embedded items, and what the method makes of their vectors."""

    items: EmbeddedItems
    own: Any


@dataclass(frozen=True, kw_only=True)
class Places:
    """What a method sees at the places of a batch of tasks.

    rows: [B, N], the items' rows in the catalogue; [1, N] for the same items in all tasks
    details: [B, N, F] or [1, N, F]; anchor: [B, N], zero where the config has none
    """

    rows: Tensor
    details: Tensor
    anchor: Tensor


@dataclass(frozen=True, kw_only=True)
class Support:
    """The support's places, the rest of its ratings to learn [B, S], and each one's weight.

    The weights are 1 / n_u, and 0 at padding: a task's loss is the weighted sum of its places'.
    """

    places: Places
    ratings: Tensor
    weight: Tensor

    @property
    def mask(self) -> Tensor:
        return self.weight > 0

    @property
    def rest(self) -> Tensor:
        return self.ratings - self.places.anchor


@dataclass(frozen=True, kw_only=True)
class State:
    """A batch of tasks: their bias [B, 1], the thresholds' shift [B, K], and the method's own.

    vectors: [B, U], their users'; is_hidden: [B, 1], whether all of a task's items are
    shown as cold ones
    """

    vectors: Tensor
    bias: Tensor
    shift: Tensor
    is_hidden: Tensor
    own: Any = None
