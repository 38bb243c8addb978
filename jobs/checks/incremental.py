"""Incremental validation: a night checks only the days of a table that have not been checked yet.

A day's files never change once they are there. Days that passed are marked in the folder of the
version that was checked, with a digest of the contract. Another version has no mark, and under
another contract no mark counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from pathlib import Path

from schemas.lake import Lake
from schemas.tables.columns import Table
from schemas.tables.rules import rules

_MARK = "_CHECKED"  # Spark reads no file whose name begins like this


def days_to_check(lake: Lake, table: Table, until: date) -> dict[date, Path]:
    """The days up to `until` that have no mark, and the last one in any case; their folders."""
    versions = {
        day: lake.version(table.name, day)
        for day, manifest in lake.days(table.name, until=until).items()
        if manifest.rows
    }
    wanted = _digest(table)
    return {
        day: version
        for day, version in versions.items()
        if day == max(versions) or _marked(version) != wanted
    }


def mark_checked(versions: Iterable[Path], table: Table) -> None:
    """Mark versions that passed, so that later nights do not check them again."""
    for version in versions:
        with suppress(FileNotFoundError):  # another run has replaced it
            (version / _MARK).write_text(_digest(table))


def _marked(version: Path) -> str | None:
    mark = version / _MARK
    return mark.read_text() if mark.exists() else None


def _digest(table: Table) -> str:
    return hashlib.sha256(repr((table, rules(table))).encode()).hexdigest()
