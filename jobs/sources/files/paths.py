"""The paths of a source: a file, or a folder of files, for all days or for each day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from schemas.dataset.source_files import DAY, SourceFile
from schemas.errors import UserError

_EXAMPLES = 3
_DAY_LENGTH = len("2026-01-31")
_CHECKSUMS = (".crc", ".md5", ".sha1", ".sha256")


@dataclass(frozen=True, kw_only=True, order=True)
class Part:
    """A file with rows, and the day that its name says, where there is a file a day."""

    path: Path
    day: date | None = None


def parts(source: Path, file: SourceFile) -> list[Part]:
    """All files of a section of the spec; a `UserError` when a file a day has none."""
    if DAY not in file.file:
        return [Part(path=path) for path in files_in(source / file.file)]
    days = by_day(source, file.file, date.max)
    if not days:
        raise UserError(
            f"{source} has no file {file.file} of any day; expected one for each day with "
            "interactions. Correct the spec's `file`."
        )
    return parts_of_days(days)


def parts_of_days(days: dict[date, Path]) -> list[Part]:
    """The files of all days, each with its day; a day's path may be a folder of files."""
    return [Part(path=file, day=day) for day, path in days.items() for file in files_in(path)]


def by_day(source: Path, pattern: str, until: date) -> dict[date, Path]:
    """The file or folder of each day up to `until` that has one, in order of days.

    Only the day is a placeholder; all other characters of the pattern are literal.
    """
    found = {}
    for text, path in _in_place(source, pattern):
        day = _day(text)
        if day is not None and day <= until:
            found[day] = path
    return dict(sorted(found.items()))


def of_no_day(source: Path, pattern: str, others: Sequence[str]) -> str | None:
    """A sentence about files that are not read, and whose names are like those of days.

    A date in another spelling, the name that Hive gives to rows without one, a day in a file that
    was packed, or whose end is in capitals. `others` are the files of other sections, which may be
    beside those of days.
    """
    ours = {(source / other).absolute() for other in others}
    unread = [path for text, path in _in_place(source, pattern) if _day(text) is None]
    names = sorted(
        path.relative_to(source).as_posix() if path.is_relative_to(source) else str(path)
        for path in {*unread, *_with_another_end(source, pattern)}
        if path.absolute() not in ours and _holds_rows(path.name)
    )
    if not names:
        return None
    return (
        f"{source}: {len(names):,} files are not read, because their names are not as {pattern} "
        f"says: {', '.join(names[:_EXAMPLES])}; expected YYYY-MM-DD for the day, and the same end. "
        "Rename them, or move them elsewhere"
    )


def _in_place(source: Path, pattern: str) -> Iterator[tuple[str, Path]]:
    """The text in place of the day in names that otherwise match the pattern, and the files."""
    parent, start, end, rest = _divided(source, pattern)
    for name in [path.name for path in parent.iterdir()] if parent.is_dir() else []:
        text = name[len(start) : len(name) - len(end)]
        if name == f"{start}{text}{end}" and (path := parent / name / rest).exists():
            yield text, path


def _with_another_end(source: Path, pattern: str) -> Iterator[Path]:
    """Files of a day whose names go on after the pattern's end, or have it in other capitals."""
    parent, start, end, rest = _divided(source, pattern)
    for path in parent.iterdir() if parent.is_dir() and not rest else []:
        text, ending = path.name[len(start) :][:_DAY_LENGTH], path.name[len(start) + _DAY_LENGTH :]
        is_like = path.name.startswith(start) and ending.lower().startswith(end.lower())
        if is_like and _day(text) and ending != end:
            yield path


def _divided(source: Path, pattern: str) -> tuple[Path, str, str, str]:
    """The folder in which names have the day, what is before and after the day, and the rest."""
    before, after = pattern.split(DAY)
    folder, _, start = before.rpartition("/")
    end, _, rest = after.partition("/")
    return source / (folder or ("/" if before.startswith("/") else "")), start, end, rest


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None  # no date
    return day if str(day) == text else None  # 20260131 and 2026-W05-6 are ISO dates too


def files_in(path: Path) -> list[Path]:
    """The file, or the files in the folder and below, without the marks of writers."""
    if not path.is_dir():
        return [path]
    found = (each for each in path.iterdir() if _holds_rows(each.name))
    return sorted(file for each in found for file in files_in(each))


def _holds_rows(name: str) -> bool:
    return name[0] not in "._" and not name.endswith(_CHECKSUMS)
