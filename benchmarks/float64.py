"""Tasks in float64, for comparisons closer than float32 is exact."""

from __future__ import annotations

from dataclasses import replace

from meta_model.data.tasks import Side, Tasks


def double(tasks: Tasks) -> Tasks:
    """The same tasks with float64 ratings, for a learner that is `.double()` too."""

    def of_side(side: Side) -> Side:
        return replace(side, ratings=side.ratings.double())

    return replace(tasks, support=of_side(tasks.support), query=of_side(tasks.query))
