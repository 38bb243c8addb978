"""Retention: partitions that are some days older than the latest published `ds` are deleted.

The history stays whatever its age: interactions and their daily aggregates are what every later
night is made of. So does the last partition of user histories, to which the next night adds.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from jobs import warehouse
from jobs.tools.text_table import text_table
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import HISTORY
from schemas.run.settings import Settings
from schemas.tables.lake import TIMELINES

_DAY = re.compile(r"ds=(\d{4}-\d{2}-\d{2})")


_MOST_DAYS = 100_000  # a day so long before any other is one that a date can hold


@dataclass(frozen=True, kw_only=True)
class Old:
    """What of one kind is to go: its days, and its size on disk."""

    kind: str
    days: tuple[date, ...]
    size: int


def run(settings: Settings, keep_days: int, *, is_real: bool) -> None:
    """Say what is older than the last `keep_days` days; remove it only if `is_real`."""
    if not 1 <= keep_days <= _MOST_DAYS:
        raise UserError(f"--keep-days is {keep_days}, expected 1 to {_MOST_DAYS}.")
    latest = _latest_published(settings)
    first_kept = latest - timedelta(days=keep_days - 1)
    print(f"kept: {first_kept} to {latest}, the latest published ds, and all interactions\n")
    roots = [Lake(root=root) for root in (settings.lake, settings.models, settings.published)]
    partitions = [(lake, *old) for lake in roots for old in _partitions(lake, first_kept)]
    reports = list(_reports(settings, first_kept))
    rows = _rows(settings, first_kept)
    found = [old for _, _, old in partitions] + [old for old, _ in reports] + rows
    if not found:
        print("nothing is older")
        return
    shown = [(old.kind, len(old.days), str(old.days[0]), str(old.days[-1]), _mb(old.size))
        for old in found]  # fmt: skip
    print(text_table(("what", "days", "first", "last", "MB"), shown))
    if not is_real:
        print("\nnothing was removed; --delete removes it")
        return
    for old in rows:  # first: what readers see goes at once
        _delete_rows(settings, old.days)
    for lake, table, old in partitions:
        for day in old.days:
            lake.remove(table, day)
    for _, paths in reports:
        for path in paths:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    print("\nremoved")


def _latest_published(settings: Settings) -> date:
    latest: date | None
    with warehouse.open_reader(settings.warehouse) as connection:
        [(latest,)] = connection.rows("SELECT max(ds) FROM coldstart.publications")
    if latest is None:
        raise UserError(
            f"{settings.warehouse} has no published ds, which retention counts from; publish a "
            "night first."
        )
    return latest


def _partitions(lake: Lake, first_kept: date) -> Iterator[tuple[str, Old]]:
    """The tables with partitions before `first_kept`."""
    for folder in sorted(path for path in lake.root.glob("[!.]*") if path.is_dir()):
        if (table := folder.name) in HISTORY:
            continue
        days = list(lake.days(table, until=date.max))
        kept = days[-1:] if table == TIMELINES.name else []
        if old := tuple(day for day in days if day < first_kept and day not in kept):
            size = sum(_size(lake.version(table, day)) for day in old)
            yield table, Old(kind=f"{lake.root.name}/{table}", days=old, size=size)


def _reports(settings: Settings, first_kept: date) -> Iterator[tuple[Old, list[Path]]]:
    for folder in (settings.reports, settings.data_docs, settings.journals):
        found = {path: _DAY.match(path.name) for path in sorted(folder.glob("ds=*"))}
        days = {path: date.fromisoformat(match[1]) for path, match in found.items() if match}
        if old := {path: day for path, day in days.items() if day < first_kept}:
            size = sum(map(_size, old))
            yield Old(kind=folder.name, days=tuple(old.values()), size=size), list(old)


def _rows(settings: Settings, first_kept: date) -> list[Old]:
    sql = "SELECT ds FROM coldstart.publications WHERE ds < $1 ORDER BY ds"
    with warehouse.open_reader(settings.warehouse) as connection:
        days = tuple(day for (day,) in connection.rows(sql, first_kept))
    return [Old(kind="warehouse", days=days, size=0)] if days else []


def _delete_rows(settings: Settings, days: tuple[date, ...]) -> None:
    with warehouse.writing(settings.warehouse) as writer:
        with writer.short_transaction():
            writer.unpublish(days)
        writer.vacuum()


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _mb(size: int) -> float | None:
    return round(size / 1e6, 1) if size else None
