"""Publish: the products of a ds replace that ds in the warehouse, all of them or none.

Then their model is kept as the champion, with which later nights' models are compared, and with it
the evidence lists, which later nights hold on to.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from jobs import warehouse
from jobs.sources.accounts import accounting
from schemas import utc
from schemas.dataset import choice as dataset_choice
from schemas.errors import UserError
from schemas.lake import Lake, written_at
from schemas.pipeline import BUILD_PROFILES, EVALUATE, GATE, MADE_BY, META_TRAIN, PUBLISH
from schemas.projections.arrow import read_batches, read_partition
from schemas.run import decision, journal
from schemas.run.artefact import Provenance
from schemas.run.decision import CHAMPIONS, Decision
from schemas.run.run_id import RunId
from schemas.run.settings import Settings
from schemas.tables import lake as tables
from schemas.tables.columns import Table
from schemas.tables.products import (
    CHAMPION,
    EVIDENCE_ITEMS,
    LIST_QUALITY,
    MODEL_METRICS,
    PRODUCTS,
)

_MEASURED = (MODEL_METRICS, LIST_QUALITY)  # of the model that the gate judged


def run(settings: Settings, ds: date, record: journal.Step, model: str) -> None:
    """Replace the rows of ds in the warehouse by the products that passed the gate."""
    lake = Lake(root=settings.lake)
    dataset = dataset_choice.of_lake(lake.root).name
    partitions = {product: lake.require(product.name, ds) for product in PRODUCTS}
    decided, run = decision.require(settings, ds, model)
    _require_one_run(partitions, ds, decided)
    publication = {
        "dataset": dataset,
        "model": run.model,
        "model_version": run.version,
        "run_id": str(run),
        "trained_ds": run.ds,
        **_origin(lake, ds),
        **(accounted.columns() if (accounted := accounting.of_night(settings, ds)) else {}),
        "made_at": max(map(written_at, partitions.values())),
        "gate": decided.text,
        "airflow_run_id": os.environ.get("COLDSTART_AIRFLOW_RUN_ID") or None,
    }
    with (
        _keeping(settings, ds, decided, run, partitions[EVIDENCE_ITEMS]),
        warehouse.writing(settings.warehouse) as writer,
    ):
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
            publication["published_at"] = utc.now()
            writer.activate(ds, {**publication, **_revision(before, publication)})
    record.rows_in = record.rows_out = sum(publication[f"{p.name}_rows"] for p in PRODUCTS)
    record.facts |= {
        "warehouse": str(settings.warehouse),
        "run_id": str(run),
        "gate": decided.text,
        "rows": {product.name: publication[f"{product.name}_rows"] for product in PRODUCTS},
        "metrics": _metrics(partitions[MODEL_METRICS], decided, run),
    }


def _require_one_run(partitions: Mapping[Table, Path], ds: date, decided: Decision) -> None:
    """The products are of the model that the gate chose, the metrics of the one it judged."""
    for product, partition in partitions.items():
        expected = decided.challenger if product in _MEASURED else decided.run_id
        found = set()
        for batch in read_batches(product, partition, ["model", "run_id"]):
            own = batch.filter(pc.field("model") != CHAMPION)  # among the metrics
            found |= {str(run_id) for run_id in own["run_id"].unique().to_pylist()}
        if found - {expected}:
            steps = ", ".join(dict.fromkeys(MADE_BY[product.name].name for product in PRODUCTS))
            raise UserError(
                f"{product.name} of ds {ds} is of {', '.join(sorted(found))}, expected "
                f"{expected}, as the gate decided. Run the steps {steps} and {GATE.name} "
                "again for that ds."
            )


@contextmanager
def _keeping(
    settings: Settings, ds: date, decided: Decision, run: RunId, evidence: Path
) -> Iterator[None]:
    """Keep the model as the champion of later days when the block ends well: when it is published.

    It is copied from the day's own models or, if it was the champion before, from the champions.
    The evidence lists are kept beside it: the lake may have others later, of a run that failed.
    """
    if decided.verdict == "challenger":
        source = Lake(root=settings.models).require(run.model, ds, made_by=META_TRAIN)
    else:
        day = decision.day_of(settings, ds, run) or ds
        source = Lake(root=settings.published).require(CHAMPIONS, day, made_by=PUBLISH)
    found = Provenance.read(source).model_version
    if found != run.version:
        raise UserError(
            f"{source} holds the version {found}, and the gate chose {run}: the model has been "
            f"replaced since. Run the steps from {EVALUATE.name} on again for ds {ds}."
        )
    with Lake(root=settings.published).replacing(CHAMPIONS, ds) as draft:
        lists = shutil.ignore_patterns(EVIDENCE_ITEMS.name)  # of the day that the model is from
        shutil.copytree(source, draft.path, dirs_exist_ok=True, ignore=lists)
        shutil.copytree(evidence, draft.path / EVIDENCE_ITEMS.name)
        draft.rows = 1
        yield


def _metrics(partition: Path, decided: Decision, run: RunId) -> dict[str, float]:
    """The metrics of the published model for new users."""
    name = run.model if decided.verdict == "challenger" else CHAMPION
    rows = read_partition(MODEL_METRICS, partition).to_pylist()
    judged = (row for row in rows if (row["model"], row["scenario"]) == (name, "user_cold"))
    return {row["metric"]: row["value"] for row in judged}


def _origin(lake: Lake, ds: date) -> dict[str, Any]:
    """The number and the age of the rows that the night was made of, without later changes."""
    users = tables.user_profiles(dataset_choice.of_lake(lake.root))
    partition = lake.require(users.name, ds)
    column = "n_interactions"
    counts = (
        pc.sum(batch[column]).as_py() or 0 for batch in read_batches(users, partition, [column])
    )
    return {"interactions": sum(counts), "data_read_at": written_at(partition)}


def _refuse_stale(
    before: Mapping[str, Any] | None, ds: date, publication: Mapping[str, Any]
) -> None:
    """An error if a newer run of the same ds has published."""

    def age(of: Mapping[str, Any]) -> tuple[datetime, datetime]:
        return of["data_read_at"], of["made_at"]

    if before is not None and age(publication) < age(before):
        theirs, ours = (
            f"data of {read}, rows of {made}" for read, made in map(age, (before, publication))
        )
        raise UserError(
            f"ds {ds} is already published by a newer run, {before['run_id']} ({theirs}); this "
            f"run, {publication['run_id']}, is older ({ours}), so the warehouse keeps the "
            f"newer. To replace it, run the older run's steps again from {BUILD_PROFILES.name} on."
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
