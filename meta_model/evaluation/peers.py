"""Recommenders that a list has to beat: they know interactions and nothing else.

Each is fitted on who chose what, and scores all items for users of whom some choices are known.

Shapes: U users, V users of training, N items (by index from 1; column 0 is nobody's).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.segments import Segments
from meta_model.data.tasks import Tasks

_BATCH_TASKS = 1024
_COLUMNS = 512  # of the item-to-item matrix that are made at once


@dataclass(frozen=True, kw_only=True)
class Interactions:
    """Distinct pairs of a training user and an item, [P] each, by index; users from 0."""

    users: Tensor
    items: Tensor
    n_items: int
    user_indices: Tensor | None = None  # of each of the users, in the profiles' numbering

    @staticmethod
    def of(inputs: Inputs) -> Interactions:
        """What training sees: the interactions of its tasks, without sampled negatives."""
        n_items = len(inputs.item_profiles)
        pairs = [torch.zeros(0, dtype=torch.int64)]
        for batch in batches(inputs.episodes.split("train"), _BATCH_TASKS):
            side = batch.whole().chosen(inputs.feedback).support
            users = batch.users.unsqueeze(1).expand_as(side.mask)[side.mask]
            pairs.append(users.long() * (n_items + 1) + batch.items[side.rows][side.mask])
        distinct = torch.cat(pairs).unique()
        known, users = (distinct // (n_items + 1)).unique(return_inverse=True)
        items = distinct % (n_items + 1)
        return Interactions(users=users, items=items, n_items=n_items, user_indices=known)

    @property
    def counts(self) -> Tensor:
        """How many users chose each item, [N + 1]."""
        return self.items.bincount(minlength=self.n_items + 1).double()

    def together(self) -> Tensor:
        """How many users chose both of two items, [N + 1, N + 1]."""
        n_users = int(self.users.max()) + 1 if len(self.users) else 0
        size = (n_users, self.n_items + 1)
        places = torch.stack([self.users, self.items])
        ones = torch.ones(len(self.users))
        chosen = torch.sparse_coo_tensor(places, ones, size, check_invariants=True)
        columns = torch.arange(size[1]).split(_COLUMNS)
        parts = [chosen.t() @ chosen.index_select(1, of).to_dense() for of in columns]
        return torch.cat(parts, dim=1)


def known_items(tasks: Tasks, n_items: int) -> Tensor:
    """What each user is known to have chosen, [U, N + 1] of 0 and 1."""
    chosen = torch.zeros(len(tasks), n_items + 1)
    chosen.scatter_(1, tasks.items[tasks.support.rows] * tasks.support.mask, 1.0)
    chosen[:, 0] = 0  # padding
    return chosen


class ItemToItem:
    """A user's scores are the sum of the rows of the items that they are known to have chosen."""

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights  # [N + 1, N + 1], the diagonal 0

    def scores(self, tasks: Tasks) -> Tensor:
        return known_items(tasks, len(self.weights) - 1) @ self.weights


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
        return self.counts[self.of_users[tasks.users]]


def item_knn(interactions: Interactions) -> ItemToItem:
    """Weights are the cosines of two items' users (Deshpande and Karypis, ACM TOIS 2004)."""
    cosines = interactions.together()
    norms = cosines.diagonal().clamp(min=1).sqrt()
    cosines = cosines / norms / norms.unsqueeze(1)
    return ItemToItem(cosines.fill_diagonal_(0))


def ease(interactions: Interactions, regularization: float = 200.0) -> ItemToItem:
    """Weights are a linear model in closed form (Steck, WWW 2019, equation 8).

    B = I - P diag(1 / P_jj), P = (X^T X + l I)^-1.
    """
    gram = interactions.together().double()
    gram.diagonal().add_(regularization)
    inverse = torch.linalg.inv(gram)
    return ItemToItem((-inverse / inverse.diagonal()).float().fill_diagonal_(0))
