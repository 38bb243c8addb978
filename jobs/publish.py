"""Publish: the three products of a ds replace that ds in the warehouse, all of them or none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from jobs import gate, warehouse
from schemas import dataset_choice, ddl, journal, tables
from schemas.arrow import arrow_schema, read_partition
from schemas.columns import Table
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.products import (
    DS,
    MODEL_METRICS,
    PRODUCTS,
    PUBLICATIONS,
    warehouse_table,
)
from schemas.settings import Settings
from schemas.steps import MADE_BY

_PROVENANCE = ("model", "model_version", "run_id")


def run(settings: Settings, ds: date, record: journal.Step, model: str) -> None:
    """Replace the rows of ds in the warehouse by the products that passed the gate."""
    lake = Lake(root=settings.lake)
    dataset = dataset_choice.of_lake(lake.root).name
    rows = {product.name: _read(lake, product, ds) for product in PRODUCTS}
    provenance = _provenance(rows, ds, model)
    decision = gate.require_passed(settings, ds, model, provenance["run_id"])
    publication = {
        "dataset": dataset,
        **provenance,
        **{f"{name}_rows": table.num_rows for name, table in rows.items()},
        "interactions": _interactions(lake, ds),
        "gate": decision.text,
        "published_at": datetime.now(UTC),
        "airflow_run_id": os.environ.get("COLDSTART_AIRFLOW_RUN_ID") or None,
    }
    with warehouse.replacing(settings.warehouse) as connection:
        _refuse_other_dataset(connection, settings, dataset)
        for product in PRODUCTS:
            warehouse.replace_rows(connection, warehouse_table(product), ds, rows[product.name])
        revised = {**publication, **_revision(connection, ds, publication)}
        warehouse.replace_rows(connection, PUBLICATIONS, ds, _as_row(revised))
    record.rows_in = record.rows_out = sum(table.num_rows for table in rows.values())
    for name, table in rows.items():
        record.progress(f"{name}: {table.num_rows:,} rows")
    record.facts["warehouse"] = str(settings.warehouse)


def _read(lake: Lake, product: Table, ds: date) -> pa.Table:
    return read_partition(product, lake.require(product.name, ds, made_by=MADE_BY[product.name]))


def _provenance(rows: dict[str, pa.Table], ds: date, model: str) -> dict[str, str]:
    """The model, version and run that all products share."""
    found = {
        (name, column, value)
        for name, table in rows.items()
        for column in _PROVENANCE
        # Beside the learner's metrics stand those of the baselines.
        if column in table.column_names and (name, column) != (MODEL_METRICS.name, "model")
        for value in table.column(column).unique().to_pylist()
    }
    provenance = {column: {v for _, c, v in found if c == column} for column in _PROVENANCE}
    if any(len(values) != 1 for values in provenance.values()) or provenance["model"] != {model}:
        steps = ", ".join(MADE_BY[product.name] for product in PRODUCTS)
        listed = ", ".join(f"{name}.{column} = {value}" for name, column, value in sorted(found))
        raise UserError(
            f"the products of ds {ds} are not of one run of {model}: {listed or 'no rows'}. "
            f"Run {steps} and gate again for that ds and model."
        )
    return {column: str(values.pop()) for column, values in provenance.items()}


def _interactions(lake: Lake, ds: date) -> int:
    """How many there were up to ds when the profiles were made, whatever has come since."""
    users = tables.user_profiles(dataset_choice.of_lake(lake.root))
    partition = lake.require(users.name, ds, made_by=MADE_BY[users.name])
    return int(pc.sum(read_partition(users, partition)["n_interactions"]).as_py())


def _revision(
    connection: duckdb.DuckDBPyConnection, ds: date, publication: Mapping[str, Any]
) -> dict[str, object]:
    """What a publication changes about its ds: which revision it is, and how much data came late.

    The same run on the same data, once more, changes nothing.
    """
    columns = ("interactions", "run_id", "late_interactions", "revision", "replaced_run_id")
    found = connection.execute(
        f"SELECT {', '.join(columns)} FROM {ddl.qualified(PUBLICATIONS.name)} WHERE ds = ?",  # noqa: S608
        [ds],
    ).fetchone()
    if found is None:
        return {"late_interactions": 0, "revision": 1, "replaced_run_id": None}
    before = dict(zip(columns, found, strict=True))
    if all(before[name] == publication[name] for name in ("interactions", "run_id")):
        return {name: before[name] for name in columns[2:]}
    came = publication["interactions"] - before["interactions"]
    return {
        "late_interactions": before["late_interactions"] + came,
        "revision": before["revision"] + 1,
        "replaced_run_id": before["run_id"],
    }


def _refuse_other_dataset(
    connection: duckdb.DuckDBPyConnection, settings: Settings, dataset: str
) -> None:
    others = connection.execute(
        f"SELECT DISTINCT dataset FROM {ddl.qualified(PUBLICATIONS.name)} WHERE dataset <> ?",  # noqa: S608
        [dataset],
    ).fetchall()
    if others:
        raise UserError(
            f"the warehouse {settings.warehouse} holds the data set {others[0][0]!r}, and this "
            f"night is of {dataset!r}; one warehouse holds one. Set COLDSTART_WAREHOUSE (or "
            f"COLDSTART_HOME) to another place for {dataset!r}."
        )


def _as_row(publication: Mapping[str, object]) -> pa.Table:
    fields = [field for field in arrow_schema(PUBLICATIONS) if field.name != DS.name]
    return pa.Table.from_pylist([publication], schema=pa.schema(fields))
