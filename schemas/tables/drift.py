"""How much a night may differ from the one before until a person is warned; no night fails by it.

The differences are rows of a table, so that Great Expectations checks them as it checks data.
"""

from __future__ import annotations

from collections.abc import Mapping

from schemas.tables.columns import Column, Table, Type

# Rows of this ds as a multiple of the rows of the previous ds, at least and at most. A day's events
# change with the day of the week; users, items and episodes grow slowly.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "interactions": (1 / 3, 3),
    "user_profiles": (0.95, 1.25),
    "item_profiles": (0.95, 1.25),
    "episodes": (0.5, 2),
    "evidence_items": (0.5, 2),
    "cold_user_scores": (0.5, 2),
}
LONGEST_GAP_DAYS = 7  # an older previous ds is not compared with

DRIFT = Table(
    name="drift",
    description="Number of rows of each table at ds, beside that of the previous ds.",
    key=("what",),
    columns=(
        Column(
            name="what",
            type=Type.STRING,
            description="Name of the table, and of the group of rows that is counted.",
        ),
        Column(
            name="previous_ds",
            type=Type.DATE,
            description="The ds that the rows are compared with.",
        ),
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
                "Total variation distance of the two distributions of ratings: the fraction of "
                "ratings that would have to change. Null for a table without ratings."
            ),
        ),
    ),
)
