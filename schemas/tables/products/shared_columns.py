"""The columns that several products share."""

from __future__ import annotations

from dataclasses import replace

from schemas.tables.columns import Column, Type

DS = Column(
    name="ds", type=Type.DATE, description="UTC day of the night; no row uses data from after it."
)


PROVENANCE = (
    Column(name="model", type=Type.STRING, description="The learner's name, for example ridge."),
    Column(
        name="model_version",
        type=Type.STRING,
        description="First 12 hex digits of the SHA-256 of the model's weights.",
    ),
    Column(
        name="run_id",
        type=Type.STRING,
        description=(
            "Name of the training run: its ds, model and model_version. A rerun that gives the "
            "same weights has the same run_id."
        ),
    ),
)


def since(*columns: Column) -> tuple[Column, ...]:
    """Columns of a later release: null in the publications of earlier ones."""
    added = "Null in publications older than this column."
    return tuple(
        replace(column, nullable=True, description=f"{column.description} {added}")
        for column in columns
    )
