"""The lake's tables of the source's rows: interactions, quarantine, users and items."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.dataset.spec import DatasetSpec, Feature
from schemas.tables.columns import Column, Table, Type

QUARANTINE_REASONS = (
    "unparsable_row",
    "missing_user_id",
    "missing_item_id",
    "unstorable_user_id",
    "unstorable_item_id",
    "unreadable_rating",
    "rating_off_scale",
    "unreadable_event_time",
    "event_too_early",
    "future_event",
    "event_of_another_day",
    "unknown_user",
    "unknown_item",
    "duplicate",
)

# The longest id that every warehouse can hold in a key: an index row of PostgreSQL has at most
# 2,704 bytes, and a character up to 4. PostgreSQL's text cannot hold U+0000 either.
MAX_ID_CHARACTERS = 512

USER_ID = Column(name="user_id", type=Type.STRING, description="The source's id of the user.")
ITEM_ID = Column(name="item_id", type=Type.STRING, description="The source's id of the item.")


def interactions(spec: DatasetSpec) -> Table:
    """The contract of interactions: the dataset's scale bounds the ratings."""
    of_level = "Rating, on the data set's scale."
    positive = "Always 1: in implicit feedback the user chose the item."
    return Table(
        name="interactions",
        description="Valid interactions of one UTC day, the day of event_time.",
        key=("user_id", "item_id", "event_time"),
        columns=(
            USER_ID,
            ITEM_ID,
            Column(
                name="rating",
                type=Type.FLOAT64,
                minimum=1.0 if spec.is_implicit else spec.rating_levels[0],
                maximum=spec.rating_levels[-1],
                description=positive if spec.is_implicit else of_level,
            ),
            Column(
                name="event_time", type=Type.TIMESTAMP, description="Time of the interaction, UTC."
            ),
        ),
    )


INTERACTIONS_QUARANTINE = Table(
    name="interactions_quarantine",
    description=(
        "Source rows that break a rule, as they were read, with the first rule that each breaks. "
        "With a single source file, every ds has all quarantined rows; with a file for each day, "
        "a ds has the rows of its file."
    ),
    key=(),
    columns=(
        Column(
            name="user_id",
            type=Type.STRING,
            nullable=True,
            description="Value as written in the source.",
        ),
        Column(
            name="item_id",
            type=Type.STRING,
            nullable=True,
            description="Value as written in the source.",
        ),
        Column(
            name="rating",
            type=Type.STRING,
            nullable=True,
            description="Value as written in the source.",
        ),
        Column(
            name="event_time",
            type=Type.STRING,
            nullable=True,
            description="Value as written in the source.",
        ),
        Column(
            name="reason",
            type=Type.STRING,
            allowed=QUARANTINE_REASONS,
            description="First rule that the row breaks.",
        ),
        Column(name="source_file", type=Type.STRING, description="Source file that holds the row."),
        Column(
            name="source_line",
            type=Type.STRING,
            nullable=True,
            description="Delimited text only: the whole line, as it is in the file.",
        ),
        Column(
            name="source_row",
            type=Type.INT64,
            nullable=True,
            minimum=0,
            description="Parquet only: number of the row in the file, from 0.",
        ),
    ),
)


def _raw_features(features: Mapping[str, Feature]) -> tuple[Column, ...]:
    return tuple(
        Column(name=name, type=Type.LIST_STRING, description=f"Values of {name}; empty if unknown.")
        for name in features
    )


def users(spec: DatasetSpec) -> Table:
    """The contract of users as the source has them: a column for each feature."""
    return Table(
        name="users",
        description="Users as the source had them that night, with attributes as lists of values.",
        key=("user_id",),
        columns=(USER_ID, *_raw_features(spec.user_features)),
    )


def items(spec: DatasetSpec) -> Table:
    """The contract of items as the source has them: a column for each feature."""
    return Table(
        name="items",
        description="Items as the source had them that night, with attributes as lists of values.",
        key=("item_id",),
        columns=(
            ITEM_ID,
            Column(
                name="title",
                type=Type.STRING,
                nullable=True,
                description="Item title, for display.",
            ),
            *_raw_features(spec.items.features),
        ),
    )
