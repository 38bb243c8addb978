"""The lake's partial aggregates: what one day adds to what is known of its users and items."""

from __future__ import annotations

from schemas.columns import Column, Table, Type
from schemas.source_tables import ITEM_ID, USER_ID

_N_INTERACTIONS = Column(
    name="n_interactions", type=Type.INT64, minimum=1, description="Interactions of the day."
)
_FIRST_SEEN = Column(
    name="first_seen", type=Type.TIMESTAMP, description="First interaction of the day, UTC."
)

USER_DAYS = Table(
    name="user_days",
    description="Every user with an interaction on the day.",
    key=("user_id",),
    columns=(
        USER_ID,
        _N_INTERACTIONS,
        _FIRST_SEEN,
        Column(name="last_seen", type=Type.TIMESTAMP, description="Last one of the day, UTC."),
    ),
)

ITEM_DAYS = Table(
    name="item_days",
    description="Every item with an interaction on the day.",
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
            description="Of them, those that are not by validation users.",
        ),
        Column(name="train_rating_sum", type=Type.FLOAT64, description="Sum of those ratings."),
    ),
)
