"""Which days of a table a night has still to check: a day's files never change once they are there.

What was found good is marked in the folder of the very version that was looked at, with a digest of
what was asked of it: another version is unmarked, and another contract makes all marks void.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from schemas.lake import Lake
from schemas.tables.columns import Table
from schemas.tables.rules import rules

_MARK = "_CHECKED"  # Spark reads no file whose name begins like this


def days(lake: Lake, table: Table, until: date) -> dict[date, Path]:
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


def mark(versions: Iterable[Path], table: Table) -> None:
    for version in versions:
        if version.is_dir():  # else it has been replaced meanwhile, and nobody reads it any more
            (version / _MARK).write_text(_digest(table))


def _marked(version: Path) -> str | None:
    mark = version / _MARK
    return mark.read_text() if mark.exists() else None


def _digest(table: Table) -> str:
    return hashlib.sha256(repr((table, rules(table))).encode()).hexdigest()
