"""Tasks in float64, for comparisons closer than float32 is exact."""

from __future__ import annotations

from dataclasses import replace

from meta_model.data.interaction_set import InteractionSet
from meta_model.data.tasks import Tasks


def double(tasks: Tasks) -> Tasks:
    """The same tasks with float64 ratings, for a learner that is `.double()` too."""

    def in_double(interactions: InteractionSet) -> InteractionSet:
        return replace(interactions, ratings=interactions.ratings.double())

    return replace(tasks, support=in_double(tasks.support), query=in_double(tasks.query))
