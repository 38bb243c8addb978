"""Tables that save a night from reading all raw history: what each day adds to the statistics of
users and items, and each user's history up to a day."""

from __future__ import annotations

from schemas.tables.columns import Column, Table, Type
from schemas.tables.index_columns import USER_INDEX
from schemas.tables.source import ITEM_ID, USER_ID

_N_INTERACTIONS = Column(
    name="n_interactions", type=Type.INT64, minimum=1, description="Interactions of the day."
)
_FIRST_SEEN = Column(
    name="first_seen", type=Type.TIMESTAMP, description="First interaction of the day, UTC."
)

USER_DAYS = Table(
    name="user_days",
    description="Statistics of each user with an interaction on the day ds.",
    key=("user_id",),
    columns=(
        USER_ID,
        _N_INTERACTIONS,
        _FIRST_SEEN,
        Column(
            name="last_seen", type=Type.TIMESTAMP, description="Last interaction of the day, UTC."
        ),
    ),
)

ITEM_DAYS = Table(
    name="item_days",
    description="Statistics of each item with an interaction on the day ds.",
    key=("item_id",),
    columns=(
        ITEM_ID,
        _N_INTERACTIONS,
        _FIRST_SEEN,
        Column(name="rating_sum", type=Type.FLOAT64, description="Sum of the day's ratings."),
        Column(
            name="train_n_ratings",
            type=Type.INT64,
            minimum=0,
            description="Ratings of the day by users outside the validation split.",
        ),
        Column(
            name="train_rating_sum",
            type=Type.FLOAT64,
            description="Sum of the ratings counted by train_n_ratings.",
        ),
    ),
)

TIMELINES = Table(
    name="timelines",
    description=(
        "The history of each user up to ds, in order of time, with the last interaction of each "
        "item. Later nights make their episodes from it. Not every ds has a partition."
    ),
    key=("user_index",),
    columns=(
        USER_INDEX,
        Column(
            name="item_indices",
            type=Type.LIST_INT32,
            minimum=1,
            description="item_index of each item, as in item_profiles of the same ds.",
        ),
        Column(
            name="ratings",
            type=Type.LIST_FLOAT32,
            description="Rating of each item, in the order of item_indices.",
        ),
        Column(
            name="event_times",
            type=Type.LIST_TIMESTAMP,
            description="Time of each interaction, UTC, in the order of item_indices.",
        ),
    ),
)
