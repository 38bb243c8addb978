"""Publish: the three products of a ds replace that ds in the warehouse, all of them or none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from jobs import gate, warehouse
from schemas import dataset_choice, journal, tables
from schemas.arrow import read_batches
from schemas.columns import Table
from schemas.errors import UserError
from schemas.lake import Lake, written_at
from schemas.products import PRODUCTS
from schemas.settings import Settings
from schemas.steps import MADE_BY
from schemas.stored import shared

_PROVENANCE = ("model", "model_version", "run_id")


def run(settings: Settings, ds: date, record: journal.Step, model: str) -> None:
    """Replace the rows of ds in the warehouse by the products that passed the gate."""
    lake = Lake(root=settings.lake)
    dataset = dataset_choice.of_lake(lake.root).name
    partitions = {
        product: lake.require(product.name, ds, made_by=MADE_BY[product.name])
        for product in PRODUCTS
    }
    provenance = _provenance(partitions, ds, model)
    decision = gate.require_passed(settings, ds, model, provenance["run_id"])
    publication = {
        "dataset": dataset,
        **provenance,
        **_origin(lake, ds),
        "made_at": max(map(written_at, partitions.values())),
        "gate": decision.text,
        "airflow_run_id": os.environ.get("COLDSTART_AIRFLOW_RUN_ID") or None,
    }
    with warehouse.writing(settings.warehouse) as writer:
        _refuse_other_dataset(writer, settings, dataset)
        _refuse_stale(writer.published(ds), ds, publication)
        for product, partition in partitions.items():
            rows = writer.load(product, ds, partition)
            publication[f"{product.name}_rows"] = rows
            record.progress(f"{product.name}: {rows:,} rows")
        with writer.short_transaction():
            # Once more: another run may have published while this one loaded.
            _refuse_other_dataset(writer, settings, dataset)
            before = writer.published(ds)
            _refuse_stale(before, ds, publication)
            publication["published_at"] = datetime.now(UTC)
            writer.point(ds, {**publication, **_revision(before, publication)})
    record.rows_in = record.rows_out = sum(publication[f"{p.name}_rows"] for p in PRODUCTS)
    record.facts["warehouse"] = str(settings.warehouse)


def _provenance(partitions: Mapping[Table, Path], ds: date, model: str) -> dict[str, str]:
    """The model, version and run that all products share."""
    found = set()
    for product, partition in partitions.items():
        # Beside the learner's metrics stand those of the baselines.
        columns = [name for name in shared(product) if name in _PROVENANCE]
        for batch in read_batches(product, partition, columns):
            for name in columns:
                values = batch.column(name).unique().to_pylist()
                found |= {(product.name, name, value) for value in values}
    provenance = {column: {v for _, c, v in found if c == column} for column in _PROVENANCE}
    if any(len(values) != 1 for values in provenance.values()) or provenance["model"] != {model}:
        steps = ", ".join(MADE_BY[product.name] for product in PRODUCTS)
        listed = ", ".join(f"{name}.{column} = {value}" for name, column, value in sorted(found))
        raise UserError(
            f"the products of ds {ds} are not of one run of {model}: {listed or 'no rows'}. "
            f"Run {steps} and gate again for that ds and model."
        )
    return {column: str(values.pop()) for column, values in provenance.items()}


def _origin(lake: Lake, ds: date) -> dict[str, Any]:
    """What the night was made of, whatever has come since: how much, and how old it is."""
    users = tables.user_profiles(dataset_choice.of_lake(lake.root))
    partition = lake.require(users.name, ds, made_by=MADE_BY[users.name])
    column = "n_interactions"
    counts = (
        pc.sum(batch[column]).as_py() or 0 for batch in read_batches(users, partition, [column])
    )
    return {"interactions": sum(counts), "data_read_at": written_at(partition)}


def _refuse_stale(
    before: Mapping[str, Any] | None, ds: date, publication: Mapping[str, Any]
) -> None:
    """A run that a newer one of the same ds has overtaken changes nothing."""

    def age(of: Mapping[str, Any]) -> tuple[datetime, datetime]:
        return of["data_read_at"], of["made_at"]

    if before is not None and age(publication) < age(before):
        theirs, ours = (
            f"data of {read}, rows of {made}" for read, made in map(age, (before, publication))
        )
        raise UserError(
            f"ds {ds} is already published by a newer run, {before['run_id']} ({theirs}); this "
            f"run, {publication['run_id']}, is older ({ours}), so the warehouse keeps that. If "
            "the older shall replace it, run its steps again from build-profiles on."
        )


def _revision(
    before: Mapping[str, Any] | None, publication: Mapping[str, Any]
) -> dict[str, object]:
    """What a publication changes about its ds: which revision it is, and how much data came late.

    The same run on the same data, once more, changes nothing.
    """
    if before is None:
        return {"late_interactions": 0, "revision": 1, "replaced_run_id": None}
    if all(before[name] == publication[name] for name in ("interactions", "run_id")):
        return {name: before[name] for name in ("late_interactions", "revision", "replaced_run_id")}
    came = publication["interactions"] - before["interactions"]
    return {
        "late_interactions": before["late_interactions"] + came,
        "revision": before["revision"] + 1,
        "replaced_run_id": before["run_id"],
    }


def _refuse_other_dataset(writer: warehouse.Publication, settings: Settings, dataset: str) -> None:
    others = writer.connection.rows(
        "SELECT DISTINCT dataset FROM coldstart.publications WHERE dataset <> $1", dataset
    )
    if others:
        raise UserError(
            f"the warehouse {settings.warehouse} holds the data set {others[0][0]!r}, and this "
            f"night is of {dataset!r}; one warehouse holds one. Set COLDSTART_WAREHOUSE (or "
            f"COLDSTART_HOME) to another place for {dataset!r}."
        )
