"""Item-to-item methods: an item is as good as the known ones say that it goes with them.

Shapes: U users, N items (by index from 1; column 0 is nobody's).
"""

from __future__ import annotations

from torch import Tensor

from meta_model.choice import neighbours
from meta_model.choice.content import Content
from meta_model.choice.interactions import Interactions, known_items
from meta_model.choice.sparse import by_rows
from meta_model.data.features import Features
from meta_model.data.ragged import CPU
from meta_model.data.tasks import Tasks


class ItemToItem:
    """A user's scores are the sum of the rows of the items that they are known to have chosen."""

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights  # [N + 1, N + 1], the diagonal 0

    def scores(self, tasks: Tasks) -> Tensor:
        """Sums [U, N + 1] of the known items' weights to each item."""
        known = known_items(tasks, len(self.weights) - 1)
        scores: Tensor = by_rows(known.to_sparse()) @ self.weights
        return scores


class ContentKnn:
    """The sum of the cosines of an item's attributes and those of the items that a user chose."""

    def __init__(self, items: Features) -> None:
        self.content = Content.of(items, CPU)

    def scores(self, tasks: Tasks) -> Tensor:
        """Sums [U, N + 1] of the known items' cosine similarities of attributes."""
        return self.content.near(known_items(tasks, len(self.content.lengths) - 1))


def item_knn(interactions: Interactions) -> ItemToItem:
    """Weights are the cosines of two items' users (Deshpande and Karypis, ACM TOIS 2004)."""
    return ItemToItem(neighbours.cosines(interactions))


def ease(interactions: Interactions, regularization: float = 200.0) -> ItemToItem:
    """Weights are a linear model in closed form (Steck, WWW 2019, equation 8)."""
    return ItemToItem(neighbours.ease(interactions, regularization))
