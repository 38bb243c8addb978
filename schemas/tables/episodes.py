"""Episodes: the tasks that a learner trains on, is judged on and serves."""

from __future__ import annotations

from schemas.dataset.spec import DatasetSpec
from schemas.tables.columns import Column, Table, Type
from schemas.tables.index_columns import USER_INDEX

SCENARIOS = ("warm", "user_cold", "item_cold", "both_cold")
SPLITS = ("train", "validation", "test", "serve")


def episodes(spec: DatasetSpec) -> Table:
    """The contract of episodes: the dataset's rating levels bound the ratings."""
    levels, about = spec.rating_levels, "Ratings of {items}, in their order."
    order = "One row for each task. Its interactions are in order of time: support, then query."
    if spec.is_implicit:
        about = "1 for each chosen item of {items}, 0 for each sampled negative."
        order += " In support and query, sampled negatives come after the chosen items."

    def indices(name: str, description: str) -> Column:
        return Column(name=name, type=Type.LIST_INT32, minimum=1, description=description)

    def ratings(part: str) -> Column:
        return Column(
            name=f"{part}_ratings",
            type=Type.LIST_FLOAT32,
            minimum=None if spec.is_implicit else levels[0],
            maximum=None if spec.is_implicit else levels[-1],
            allowed=levels if spec.is_implicit else None,
            description=about.format(items=f"{part}_items"),
        )

    def days(part: str) -> Column:
        return Column(
            name=f"{part}_days",
            type=Type.LIST_INT32,
            description=f"UTC day of each interaction of {part}_items, counted from 1970-01-01.",
        )

    return Table(
        name="episodes",
        description=order,
        key=("split", "task_id"),  # rows of a split are together, so that readers skip the rest
        columns=(
            Column(
                name="task_id",
                type=Type.STRING,
                description="user_id/scenario/split, and /n for the n-th part of a user's past.",
            ),
            USER_INDEX,
            Column(
                name="scenario",
                type=Type.STRING,
                allowed=SCENARIOS,
                description=(
                    "Whether user and query items are new, first seen in the held-out days. warm: "
                    "neither; user_cold: the user; item_cold: the items; both_cold: both. A "
                    "`serve` task always has user_cold, whether its user is new or not."
                ),
            ),
            Column(
                name="split",
                type=Type.STRING,
                allowed=SPLITS,
                description="What the task is for; `serve`: a cold user of today, without a query.",
            ),
            Column(
                name="earlier_that_day",
                type=Type.INT32,
                minimum=0,
                description=(
                    "How many interactions the user had before these, on the UTC day of the first "
                    "of them."
                ),
            ),
            indices("support_items", "item_index of each item that the model adapts to."),
            ratings("support"),
            days("support"),
            indices("query_items", "item_index of each item that the model has to predict."),
            ratings("query"),
            days("query"),
        ),
    )
