"""The lake's tables. A table whose columns depend on the data set is a function of its spec."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.dataset.spec import DatasetSpec, Feature
from schemas.tables.columns import Column, Table, Type
from schemas.tables.history import ITEM_DAYS, TIMELINES, USER_DAYS
from schemas.tables.index_columns import ITEM_INDEX, USER_INDEX
from schemas.tables.network import ITEM_LINKS, metapath_neighbours
from schemas.tables.source import (
    INTERACTIONS_QUARANTINE,
    ITEM_ID,
    QUARANTINE_REASONS,
    USER_ID,
    interactions,
    items,
    users,
)

__all__ = [
    "INTERACTIONS_QUARANTINE",
    "ITEM_LINKS",
    "QUARANTINE_REASONS",
    "SCENARIOS",
    "SPLITS",
    "TIMELINES",
    "VOCABULARY",
    "episodes",
    "interactions",
    "item_profiles",
    "items",
    "lake_tables",
    "metapath_neighbours",
    "user_profiles",
    "users",
]

SCENARIOS = ("warm", "user_cold", "item_cold", "both_cold")
SPLITS = ("train", "validation", "test", "serve")
_N_INTERACTIONS = Column(
    name="n_interactions",
    type=Type.INT64,
    minimum=1,
    description="Interactions up to and including ds.",
)
_FIRST_SEEN = Column(
    name="first_seen", type=Type.TIMESTAMP, description="Time of the first interaction, UTC."
)

VOCABULARY = Table(
    name="vocabulary",
    description=(
        "The index of each value of each feature, for the users and items that training sees. "
        "Index 0 stands for an absent or unknown value."
    ),
    key=("feature", "value"),
    columns=(
        Column(
            name="feature",
            type=Type.STRING,
            description="`user.` or `item.` and the feature's name in the dataset spec.",
        ),
        Column(name="value", type=Type.STRING, description="The value of the feature, as text."),
        Column(
            name="index",
            type=Type.INT32,
            minimum=1,
            description="Index of the value, dense within the feature.",
        ),
    ),
)


def _indexed_features(features: Mapping[str, Feature]) -> tuple[Column, ...]:
    return tuple(
        Column(
            name=name,
            type=Type.LIST_INT32 if feature.kind == "multi" else Type.INT32,
            minimum=0,
            description=(
                f"Vocabulary indices of {name}; 0 for a value that the vocabulary lacks."
                if feature.kind == "multi"
                else f"Vocabulary index of {name}; 0 if unknown."
            ),
        )
        for name, feature in features.items()
    )


def user_profiles(spec: DatasetSpec) -> Table:
    cold = spec.cold_start.cold_user_max_interactions
    return Table(
        name="user_profiles",
        description="Every user with an interaction up to ds.",
        key=("user_id",),
        columns=(
            USER_ID,
            USER_INDEX,
            _N_INTERACTIONS,
            _FIRST_SEEN,
            Column(
                name="last_seen",
                type=Type.TIMESTAMP,
                description="Time of the last interaction, UTC.",
            ),
            Column(name="is_new", type=Type.BOOL, description="First seen in the held-out days."),
            Column(
                name="is_cold",
                type=Type.BOOL,
                description=f"Has at most {cold} interactions, and so a list in cold_user_scores.",
            ),
            *_indexed_features(spec.user_features),
        ),
    )


RECENT_HALF_LIFE_DAYS = 14  # of an interaction's weight in an item's recent popularity


def item_profiles(spec: DatasetSpec) -> Table:
    return Table(
        name="item_profiles",
        description="Every item with an interaction up to ds.",
        key=("item_id",),
        columns=(
            ITEM_ID,
            ITEM_INDEX,
            Column(
                name="title",
                type=Type.STRING,
                nullable=True,
                description="Item title, for display.",
            ),
            _N_INTERACTIONS,
            _FIRST_SEEN,
            Column(
                name="rating_mean",
                type=Type.FLOAT64,
                minimum=spec.rating_levels[0],
                maximum=spec.rating_levels[-1],
                description="Mean rating up to and including ds.",
            ),
            Column(name="is_new", type=Type.BOOL, description="First seen in the held-out days."),
            Column(
                name="train_n_ratings",
                type=Type.INT64,
                minimum=0,
                description="Ratings by training users in the training days; 0 for a new item.",
            ),
            Column(
                name="train_rating_sum",
                type=Type.FLOAT64,
                minimum=0 if spec.rating_levels[0] >= 0 else None,
                description="Sum of the ratings counted by train_n_ratings.",
            ),
            Column(
                name="recent_interactions",
                type=Type.FLOAT64,
                minimum=0,
                description=(
                    "Interactions up to and including ds; each counts half as much for every "
                    f"{RECENT_HALF_LIFE_DAYS} days of its age."
                ),
            ),
            Column(
                name="train_recent",
                type=Type.FLOAT64,
                minimum=0,
                description=(
                    "The ratings counted by train_n_ratings, each half as much for every "
                    f"{RECENT_HALF_LIFE_DAYS} days before the first held-out day of users."
                ),
            ),
            *_indexed_features(spec.items.features),
        ),
    )


def episodes(spec: DatasetSpec) -> Table:
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
                    "neither; user_cold: the user; item_cold: the items; both_cold: both."
                ),
            ),
            Column(
                name="split",
                type=Type.STRING,
                allowed=SPLITS,
                description="What the task is for; `serve`: a cold user of today, without a query.",
            ),
            indices("support_items", "item_index of each item that the model adapts to."),
            ratings("support"),
            indices("query_items", "item_index of each item that the model has to predict."),
            ratings("query"),
        ),
    )


def lake_tables(spec: DatasetSpec) -> tuple[Table, ...]:
    """Every table that Spark writes, in the order of the night."""
    return (
        interactions(spec),
        USER_DAYS,
        ITEM_DAYS,
        INTERACTIONS_QUARANTINE,
        users(spec),
        items(spec),
        ITEM_LINKS,
        VOCABULARY,
        user_profiles(spec),
        item_profiles(spec),
        TIMELINES,
        episodes(spec),
        metapath_neighbours(spec),
    )
