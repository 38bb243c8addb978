"""The best of the catalogue by expected rating, as a night lists it where products ask for that."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from meta_model.data.tasks import Tasks
from meta_model.learners import Learner
from meta_model.ranking.by_rating import Chunk, best, ratings, without_met


def rank(learner: Learner, tasks: Tasks, chunks: Iterable[Chunk], k: int) -> tuple[Tensor, Tensor]:
    """The best items and their expected ratings [B, k], after the local update."""
    scores = without_met(ratings(learner, tasks, True, chunks), tasks, "explicit")
    items = best(scores, k)
    return items, scores.gather(1, items)
