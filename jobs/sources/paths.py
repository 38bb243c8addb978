"""Where a source's files lie: a file, or a folder of them, for all or for each day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from schemas.errors import UserError
from schemas.source_files import DAY, SourceFile


def paths(source: Path, file: SourceFile) -> list[Path]:
    """All files of a section of the spec; a `UserError` when a file a day has none."""
    if DAY not in file.file:
        return parts(source / file.file)
    days = by_day(source, file.file, date.max)
    if not days:
        raise UserError(
            f"{source} has no file {file.file} of any day; expected one for each day with "
            "interactions. Mend the spec's `file`."
        )
    return [part for path in days.values() for part in parts(path)]


def by_day(source: Path, pattern: str, until: date) -> dict[date, Path]:
    """The file or folder of each day up to `until` that has one."""
    before, after = pattern.split(DAY)
    found = {}
    for path in sorted(source.glob(f"{before}????-??-??{after}")):
        name = path.relative_to(source).as_posix()
        try:
            day = date.fromisoformat(name[len(before) : len(name) - len(after)])
        except ValueError:
            continue  # nobody's day
        if day <= until:
            found[day] = path
    return found


def parts(path: Path) -> list[Path]:
    """The file, or those in the folder that are no marks of whoever wrote it."""
    if not path.is_dir():
        return [path]
    return sorted(part for part in path.iterdir() if part.name[0] not in "._")
