"""The views that analysts use, over the tables of the warehouse, in SQL that every engine reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from schemas.tables.columns import Column, Table, Type
from schemas.tables.products import (
    COLD_USER_SCORES,
    DS,
    EVIDENCE_ITEMS,
    MODEL_METRICS,
    PUBLICATIONS,
    warehouse_table,
)

_SQL = Path(__file__).parent / "views_sql"


@dataclass(frozen=True, kw_only=True)
class View:
    """What the rows are, like those of a table; `select` gives its columns, in their order."""

    table: Table
    select: str

    @property
    def name(self) -> str:
        """The name of the view, which its table of columns has as well."""
        return self.table.name


def _latest(product: Table) -> View:
    table = warehouse_table(product)
    about = f"The rows of {product.name} of the latest published ds. {product.description}"
    columns = ", ".join(f'"{name}"' for name in table.column_names)
    return View(
        table=replace(table, name=f"latest_{product.name}", description=about),
        select=(
            f"SELECT {columns}\nFROM coldstart.{product.name}\n"  # noqa: S608 - contracts' names
            "WHERE ds = (SELECT max(ds) FROM coldstart.publications)"
        ),
    )


def _written(table: Table) -> View:
    return View(table=table, select=(_SQL / f"{table.name}.sql").read_text())


_QUALITY = ("scenario", "metric", "value", "baseline", "n_tasks")

MODEL_QUALITY_BY_DAY = Table(
    name="model_quality_by_day",
    description=(
        "Metrics of the published model of each ds, beside the baseline's. A day without held-out "
        "tasks of a scenario has no row of that scenario."
    ),
    key=("ds", "scenario", "metric"),
    columns=(
        DS,
        *(PUBLICATIONS.column(name) for name in ("model", "model_version")),
        *(MODEL_METRICS.column(name) for name in _QUALITY),
        Column(
            name="difference",
            type=Type.FLOAT64,
            nullable=True,
            description=(
                "value minus baseline. For mae, mae_of_expected and rmse, lower is better; for "
                "ndcg5, ndcg10, auc and hr10, higher is better. Null for a metric without a "
                "baseline: logloss and adaptation_gain."
            ),
        ),
    ),
)

EVIDENCE_CHANGES = Table(
    name="evidence_changes",
    description=(
        "Items that entered or left an evidence list since previous_ds. If a segment has a list on "
        "one of the two days alone, all items of that list are rows."
    ),
    key=("ds", "segment", "item_id"),
    columns=(
        DS,
        Column(
            name="previous_ds",
            type=Type.DATE,
            description=(
                "The latest earlier ds that is published now. Publishing a day between the two "
                "changes it."
            ),
        ),
        *(EVIDENCE_ITEMS.column(name) for name in ("segment", "item_id", "title")),
        Column(
            name="change",
            type=Type.STRING,
            allowed=("entered", "left"),
            description="Whether the item entered or left the list.",
        ),
        Column(
            name="rank",
            type=Type.INT32,
            minimum=1,
            nullable=True,
            description="Rank of the item at ds; null if it left the list.",
        ),
        Column(
            name="previous_rank",
            type=Type.INT32,
            nullable=True,
            minimum=1,
            description="Rank of the item at previous_ds; null if it entered the list.",
        ),
    ),
)

VIEWS = (
    _latest(EVIDENCE_ITEMS),
    _latest(COLD_USER_SCORES),
    _written(MODEL_QUALITY_BY_DAY),
    _written(EVIDENCE_CHANGES),
)
