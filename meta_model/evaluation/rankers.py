"""Orders of the catalogue to be judged: a learner's, and fixed ones.

Shapes: U users, N items.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from meta_model.choice.interactions import Interactions
from meta_model.data.tasks import Tasks
from meta_model.evaluation.lists import Ranker
from meta_model.learners import Learner
from meta_model.ranking.by_rating import CatalogueRatings
from meta_model.ranking.recommender import Recommender
from schemas.dataset.spec import Feedback


class Fixed:
    """The same order for everyone, by scores of the items [N + 1]."""

    def __init__(self, of_items: Tensor) -> None:
        self.of_items = of_items

    def scores(self, tasks: Tasks) -> Tensor:
        """The same scores [U, N + 1] for every user, whatever the support."""
        return self.of_items.expand(len(tasks), -1)


class OfChoices:
    """A method that knows what users chose and no sampled negatives."""

    def __init__(self, ranker: Ranker, feedback: Feedback) -> None:
        self.ranker, self.feedback = ranker, feedback

    def scores(self, tasks: Tasks) -> Tensor:
        """The ranker's scores [U, N + 1] if sampled negatives are left out of the support."""
        return self.ranker.scores(tasks.chosen(self.feedback))


class Unmet:
    """A method that recommends to training users nothing that training saw them choose."""

    def __init__(self, ranker: Ranker, interactions: Interactions) -> None:
        self.ranker, self.interactions = ranker, interactions

    def scores(self, tasks: Tasks) -> Tensor:
        """The ranker's scores [U, N + 1]; -inf for the users' training interactions."""
        return self.ranker.scores(tasks).masked_fill(
            self.interactions.met_by(tasks.users), -torch.inf
        )


class Unadapted:
    """What a model recommends to users if it knows their attributes alone."""

    def __init__(self, recommender: Recommender) -> None:
        self.recommender = recommender

    def scores(self, tasks: Tasks) -> Tensor:
        """The published order [U, N + 1] as if the support were empty."""
        return self.recommender.scores(tasks.knowing(torch.zeros_like(tasks.support.mask)))


class ByRating:
    """A learner's expected ratings after its local update; before it where nothing is known."""

    def __init__(self, learner: Learner, n_items: int, device: torch.device) -> None:
        self.device = device
        self.ratings = CatalogueRatings(learner.eval(), n_items, device)

    @torch.no_grad()
    def scores(self, tasks: Tasks) -> Tensor:
        """Expected ratings [U, N + 1] of the whole catalogue; -inf for padding, item 0."""
        tasks = replace(tasks, query=tasks.query.hidden()).to(self.device)
        is_adapted = bool(tasks.support.mask.any())
        return self.ratings.of_all(tasks, is_adapted).cpu()
