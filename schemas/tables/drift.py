"""How far a night may lie from the one before until a person is warned: nothing fails by it.

A drift is a row of a table of its own, so that Great Expectations judges it as it judges data.
"""

from __future__ import annotations

from collections.abc import Mapping

from schemas.tables.columns import Column, Table, Type

# How often the rows of the previous ds there may be, at least and at most. A day's events come and
# go with the week; what is known grows slowly.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "interactions": (1 / 3, 3),
    "user_profiles": (0.95, 1.25),
    "item_profiles": (0.95, 1.25),
    "episodes": (0.5, 2),
    "evidence_items": (0.5, 2),
    "cold_user_scores": (0.5, 2),
}
LONGEST_GAP_DAYS = 7  # a previous ds that is older says little of a night

DRIFT = Table(
    name="drift",
    description="Numbers of rows of each table of a ds, beside those of the previous ds.",
    key=("what",),
    columns=(
        Column(
            name="what",
            type=Type.STRING,
            description="The table, and the group of its rows that is counted.",
        ),
        Column(name="previous_ds", type=Type.DATE, description="The ds it is compared with."),
        Column(name="rows", type=Type.INT64, minimum=0, description="Number of rows at this ds."),
        Column(
            name="previous_rows",
            type=Type.INT64,
            minimum=0,
            description="Number of rows at previous_ds.",
        ),
        Column(
            name="least_rows",
            type=Type.INT64,
            minimum=0,
            description="Fewer rows than this are a warning.",
        ),
        Column(
            name="most_rows",
            type=Type.INT64,
            minimum=0,
            description="More rows than this are a warning.",
        ),
        Column(
            name="rating_shift",
            type=Type.FLOAT64,
            minimum=0,
            maximum=1,
            nullable=True,
            description=(
                "Total variation distance of the ratings' distributions: the fraction of ratings "
                "that would have to change; null where there are none."
            ),
        ),
    ),
)
