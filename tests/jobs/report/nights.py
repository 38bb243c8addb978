"""Nights for reports: the small night with a journal and a model, told as its steps tell it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from jobs.report.attempts import STEPS
from jobs.report.sections.operation import file_of
from jobs.steps import report as step
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.artefact import Epoch, write_curve
from schemas.tables.products import EVIDENCE_QUALITY
from tests.jobs.night import RUN, Night, Row

GATE = "passed: user_cold: MAE 0.8000, expected at most 0.9090; adaptation gain 0.0200"
SECONDS = 4.0  # of every step; one starts each ten seconds


def begin(ds: date, n: float = 0) -> float:
    """When the n-th step of the night begins, Unix seconds."""
    return (
        datetime(ds.year, ds.month, ds.day, tzinfo=UTC) + timedelta(days=1)
    ).timestamp() + 10 * n


def entries(name: str, ds: date, at: float, **facts: Any) -> list[Row]:
    """What a step's journal says of a run that ended well."""
    about = {"step": name, "ds": str(ds)}
    told = [{**about, "event": "started", "at": at}]
    if name == "gate":
        rules = ("ok  every metric is a finite number: all are", "ok  user_cold: MAE 0.8000")
        told += [{**about, "event": "progress", "at": at, "message": rule} for rule in rules]
        facts = {"gate": GATE, **facts}
    ended = {"event": "finished", "at": at + SECONDS, "seconds": SECONDS}
    return [*told, {**about, **ended, "rows_in": 1234, "rows_out": 567, **facts}]


def failure(name: str, ds: date, at: float, message: str) -> list[Row]:
    about = {"step": name, "ds": str(ds)}
    ended = {"event": "failed", "at": at + 1, "seconds": 1.0, "message": message}
    return [{**about, "event": "started", "at": at}, {**about, **ended}]


def a_whole_night(ds: date) -> list[Row]:
    return [entry for n, name in enumerate(STEPS) for entry in entries(name, ds, begin(ds, n))]


def tell(night: Night, told: list[Row]) -> None:
    """Make it the night's journal."""
    file = journal.path(night.settings.journals, night.ds)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(entry) + "\n" for entry in told))


def asked(name: str, length: int, mae: float, low: float, high: float) -> Row:
    """A row of evidence_quality."""
    about = {"segment": "all", "list": name, "length": length, "n_users": 127}
    figures = {"n_revealed_mean": 3.14, "mae": mae, "rmse": mae + 0.1, "ndcg5": 0.7654}
    bounds = {"mae_minus_popularity_low": low, "mae_minus_popularity_high": high}
    worth = {"ndcg10_after": 1 - mae, "recall20_after": 0.5}
    ends = {
        f"ndcg10_after_minus_{other}_{end}": value
        for other in ("popularity", "nothing")
        for end, value in (("low", -high), ("high", -low))
    }
    return {**about, **figures, **bounds, **RUN, **worth, **ends}


def complete(night: Night) -> None:
    """Write all that a report is made of: tables, model, journal."""
    night.rows[EVIDENCE_QUALITY.name] = [
        asked("evidence", 5, 0.7811, -0.0301, -0.0102),
        asked("popularity", 5, 0.8022, 0.0, 0.0),
        asked("random", 5, 0.8333, 0.0111, 0.0512),
    ]
    night.write()
    write_model(night)
    tell(night, a_whole_night(night.ds))


def write_model(night: Night) -> None:
    """The artefact's files that a report reads."""
    curve = [
        Epoch(
            epoch=n,
            train_loss=0.5 / n,
            validation_loss=0.6 / n,
            validation_mae=0.9 / n,
            validation_mae_before=1.0 / n,
            padding_share=0.1,
        )
        for n in (1, 2, 3)
    ]
    night.write_model()
    write_curve(Lake(root=night.settings.models).version("melu", night.ds), curve)


def report(night: Night) -> str:
    """Write the report as the step does; its text."""
    step.run(night.settings, night.ds, journal.Step(name="report", ds=night.ds, file=None), "melu")
    return file_of(night.settings, night.ds).read_text(encoding="utf-8")


def files(folder: Path) -> dict[str, bytes]:
    """All files under a folder, and what they hold."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
