"""Recommenders that a list has to beat: they know interactions, or attributes, and nothing else.

Each is fitted on who chose what, or on what items are. It scores all items for users of whom some
choices are known.

Shapes: U users, V users of training, N items (by index from 1; column 0 is nobody's).
"""

from __future__ import annotations

import torch
from torch import Tensor

from meta_model.choice import neighbours
from meta_model.choice.content import Content
from meta_model.choice.interactions import Interactions, known_items
from meta_model.choice.sparse import by_rows
from meta_model.data.features import Features
from meta_model.data.ragged import CPU
from meta_model.data.segments import Segments
from meta_model.data.tasks import Tasks
from meta_model.evaluation.lists import Ranker


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


class Blended:
    """A method's scores and popularity, each as a share of its largest: [U, N + 1].

    weight: of popularity; counts: interactions by item [N + 1]
    """

    def __init__(self, ranker: Ranker, counts: Tensor, weight: float) -> None:
        self.ranker, self.of_popularity = ranker, weight * counts / counts.max()

    def scores(self, tasks: Tasks) -> Tensor:
        """The ranker's scores [U, N + 1], scaled to a largest of 1, plus weighted popularity."""
        return neighbours.of_largest(self.ranker.scores(tasks)) + self.of_popularity


class SegmentPopularity:
    """How many training users of the user's segment chose each item, then how many of all did.

    A user has the segment of the first feature that says one, or else that of everyone.
    """

    def __init__(self, interactions: Interactions, segments: Segments) -> None:
        assert interactions.user_indices is not None
        number = torch.zeros_like(segments.of_users[0])
        for of_feature in reversed(segments.of_users[1:]):
            number = torch.where(of_feature >= 0, of_feature, number)
        self.of_users = number
        segment = number[interactions.user_indices][interactions.users]
        counts = torch.zeros(len(segments.names), interactions.n_items + 1, dtype=torch.float64)
        ones = torch.ones(len(interactions.items), dtype=torch.float64)
        counts.index_put_((segment, interactions.items), ones, accumulate=True)
        counts[0] = interactions.counts
        self.counts = counts + counts[0] / (counts[0].sum() + 1)  # breaks ties only

    def scores(self, tasks: Tasks) -> Tensor:
        """Interactions [U, N + 1] with each item in the user's segment."""
        return self.counts[self.of_users[tasks.users]]


def item_knn(interactions: Interactions) -> ItemToItem:
    """Weights are the cosines of two items' users (Deshpande and Karypis, ACM TOIS 2004)."""
    return ItemToItem(neighbours.cosines(interactions))


def ease(interactions: Interactions, regularization: float = 200.0) -> ItemToItem:
    """Weights are a linear model in closed form (Steck, WWW 2019, equation 8)."""
    return ItemToItem(neighbours.ease(interactions, regularization))
