"""Popularity as a peer: that of the user's segment, and blended with another method.

Shapes: U users, N items (by index from 1; column 0 is nobody's).
"""

from __future__ import annotations

import torch
from torch import Tensor

from meta_model.choice import neighbours
from meta_model.choice.interactions import Interactions
from meta_model.data.segments import Segments
from meta_model.data.tasks import Tasks
from meta_model.evaluation.lists import Ranker


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
