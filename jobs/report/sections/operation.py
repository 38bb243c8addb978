"""How the night ran: its steps, the rows set aside, warnings, and where to read on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from jobs.report.attempts import STEPS, Attempt
from jobs.report.night import Night, Part
from jobs.sources.accounts import accounting, rows_by_file
from schemas.pipeline import INGEST
from schemas.projections.arrow import most_frequent
from schemas.run.settings import Settings
from schemas.tables.lake import INTERACTIONS_QUARANTINE

_SUFFIX = ".html"


@dataclass(frozen=True, kw_only=True)
class StepLine:
    """One step: how it ended, in a word or two, for how long it ran, and its rows."""

    step: str
    ended: str
    is_well: bool
    seconds: float | None
    rows_in: int | None
    rows_out: int | None


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why source rows were set aside, and how many."""

    reason: str
    rows: int


class FileRows(NamedTuple):
    """A file of the source, and what became of its rows."""

    file: str
    read: int
    kept: int
    set_aside: int
    left_out: int


@dataclass(frozen=True, kw_only=True)
class Warned:
    """What a step found strange, and let pass."""

    step: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Link:
    """Somewhere else to read, relative to the report."""

    title: str
    href: str


@dataclass(frozen=True, kw_only=True)
class Links:
    """Links to the reports before and after, None at the ends, and to pages of data docs."""

    previous: Link | None
    next: Link | None
    data_docs: tuple[Link, ...]


def step_lines(night: Night) -> tuple[StepLine, ...]:
    """Every step of the night in its order, those that never ran among them."""
    return tuple(_line(night, step) for step in STEPS)


def quarantine(night: Night) -> Part[tuple[Reason, ...]]:
    """The rows that ingest set aside, by reason, the most frequent first."""
    table = INTERACTIONS_QUARANTINE

    def read() -> tuple[Reason, ...]:
        version = night.lake.version(table.name, night.ds)
        found = most_frequent(table, version, "reason")
        return tuple(Reason(reason=str(reason), rows=rows) for reason, rows in found)

    is_there = night.lake.manifest(table.name, night.ds) is not None
    return night.part(INGEST.name, read, is_there=is_there)


def accounted(night: Night) -> str | None:
    """What became of all rows that ingest read, in words; None if the journal lacks it."""
    attempt = night.attempts.current(INGEST.name)
    rows = accounting.of_facts(attempt.facts) if attempt else None
    return f"{rows}." if rows else None


def files(night: Night) -> tuple[FileRows, ...]:
    """What became of the rows of each file, as far as the journal has it."""
    attempt = night.attempts.current("ingest")
    rows_of_files = attempt.facts.get("rows_of_files", {}) if attempt else {}
    return tuple(FileRows(*line) for line in rows_by_file.lines(rows_of_files))


def warnings(night: Night) -> tuple[Warned, ...]:
    """Of the steps whose latest attempt counts."""
    current = (night.attempts.current(step) for step in STEPS)
    return tuple(
        Warned(step=attempt.step, text=str(text))
        for attempt in current
        if attempt
        for text in attempt.facts.get("warnings", ())
    )


def file_of(settings: Settings, ds: date) -> Path:
    """The path of the report of a ds."""
    return settings.reports / f"ds={ds}{_SUFFIX}"


def links(settings: Settings, ds: date) -> Links:
    """The reports before and after, and the night's Data Docs, as far as they are there now."""
    days = sorted(
        date.fromisoformat(path.stem.removeprefix("ds="))
        for path in settings.reports.glob(f"ds=????-??-??{_SUFFIX}")
    )
    docs = sorted((settings.data_docs / f"ds={ds}").glob("*/index.html"), key=_place)
    return Links(
        previous=_to(settings, max((day for day in days if day < ds), default=None)),
        next=_to(settings, min((day for day in days if day > ds), default=None)),
        data_docs=tuple(
            Link(title=path.parent.name, href=path.relative_to(settings.reports).as_posix())
            for path in docs
        ),
    )


def _line(night: Night, step: str) -> StepLine:
    attempt = night.attempts.latest.get(step)
    if attempt is None:
        return _of(step, None, ended="has not run", is_well=True)
    if overtaken_by := night.attempts.overtaken_by(step):
        return _of(step, attempt, ended=f"earlier than {overtaken_by}", is_well=True)
    words = {"unfinished": "has not ended"}
    ended = words.get(attempt.outcome, attempt.outcome)
    return _of(step, attempt, ended=ended, is_well=attempt.outcome == "finished")


def _of(step: str, attempt: Attempt | None, *, ended: str, is_well: bool) -> StepLine:
    facts = attempt.facts if attempt else {}
    return StepLine(
        step=step,
        ended=ended,
        is_well=is_well,
        seconds=attempt.seconds if attempt else None,
        rows_in=facts.get("rows_in"),
        rows_out=facts.get("rows_out"),
    )


def _place(index: Path) -> tuple[int, str]:
    """In the order of the night."""
    name = index.parent.name
    return (STEPS.index(name) if name in STEPS else len(STEPS), name)


def _to(settings: Settings, day: date | None) -> Link | None:
    return None if day is None else Link(title=str(day), href=file_of(settings, day).name)
