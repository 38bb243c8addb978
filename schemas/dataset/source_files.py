"""The sections of a dataset spec that say what a source's files hold, and in which columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, TypeVar

from schemas.dataset.features import Feature, column_name, feature_of
from schemas.dataset.mistakes import Collected
from schemas.dataset.toml_record import build
from schemas.errors import UserError

Section = TypeVar("Section", bound="SourceFile")

TimeUnit = Literal["seconds", "milliseconds", "microseconds", "nanoseconds", "digits"]

DAY = "{day}"  # in the file's name, where there is a file a day: 2026-01-31
_TABLE = re.compile(r"\w+(\.\w+){0,2}")  # nothing that a database would read as more than a name
_OF_TEXT = ("delimiter", "quote", "escape", "encoding", "columns", "nulls", "multiline")


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file of rows: delimited text, or Parquet, which names its columns itself.

    With the format `jdbc`, `file` is a table (or view) of the spec's [database].

    Text may be packed by gzip or bzip2, and a row is one line. `columns` names them when the file
    has no header, and `quote` is the character around values that hold the delimiter; empty when
    there is none. A quote inside such a value has `escape` before it, without one another quote.
    `nulls` are texts that stand for no value. Where quoted values hold line breaks, `multiline`
    reads rows over several lines, each file by one reader; without it such a row is broken.

    Of all rows those count that have each value of `only` in its column, and no value of `without`.
    """

    file: str
    format: Literal["delimited", "parquet", "jdbc"] = "delimited"
    delimiter: str = ","
    quote: str = '"'
    encoding: Literal["UTF-8", "ISO-8859-1"] = "UTF-8"
    columns: tuple[str, ...] = ()
    escape: str | None = None
    nulls: tuple[str, ...] = ()
    multiline: bool = False
    only: dict[str, str] = field(default_factory=dict)
    without: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SyntheticTime:
    """Times made up for data that has an order within each user at most: no clock ever showed them.

    A user begins on one of `spread_days` days from `first_day` on, by a hash of the id, at
    midnight UTC; the place in the column `order` adds `step_seconds` each. Without an order, the
    place is one of `places`, by a hash of user and item: rows that come later move no other row.
    """

    first_day: str
    spread_days: int
    step_seconds: int
    order: str | None = None
    places: int | None = None


@dataclass(frozen=True, kw_only=True)
class Interactions(SourceFile):
    """Which columns of the file hold who, what, how much and when.

    A time is a Unix time in `time_unit`, or a timestamp: of that type in Parquet, or as text such
    as 2026-01-31T12:00:00Z, which is UTC where it names no offset; a date is its midnight. The unit
    `digits` is for numbers such as 20260131120000 or 20260131. An event before `earliest` has a
    time that stands for none, and is set aside.
    Implicit feedback has no `rating`. Without times, `synthetic_time` takes `event_time`'s place.

    A name with `{day}` in it stands for a file, or a folder of files, for each UTC day, which holds
    that day's events: a night reads only those that are new or changed.
    """

    user_id: str
    item_id: str
    rating: str | None = None
    event_time: str | None = None
    time_unit: TimeUnit = "seconds"
    earliest: str = "1990-01-01"
    synthetic_time: SyntheticTime | None = None

    @property
    def is_daily(self) -> bool:
        return DAY in self.file


@dataclass(frozen=True, kw_only=True)
class Users(SourceFile):
    user_id: str
    features: dict[str, Feature] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Items(SourceFile):
    item_id: str
    title: str | None = None
    features: dict[str, Feature] = field(default_factory=dict)


def section(cls: type[Section], table: dict[str, Any], where: str) -> Section:
    """The section in `table`, validated; `where` names its file and place for the errors."""
    wrong, values, told = Collected(), dict(table), set[str]()
    with wrong.noting():
        _check_format(table, where)
    for check in (_check_times, _check_earliest, _check_daily):
        with wrong.noting():
            check(cls, table, where)
    if isinstance(table.get("features"), dict):
        values["features"] = {}
        for name, feature in table["features"].items():
            with wrong.noting():
                of_name = f"{where[:-1]}.features.{name}]"
                values["features"][column_name(name, of_name, values["features"])] = feature_of(
                    feature, of_name
                )
    if isinstance(table.get("synthetic_time"), dict):
        told.add("synthetic_time")
        with wrong.noting():
            place = f"{where[:-1]}.synthetic_time]"
            values["synthetic_time"] = _synthetic_time(table["synthetic_time"], place)
    with wrong.noting():
        made = build(cls, values, where, told=told)
    wrong.tell()
    return made


def _check_format(table: dict[str, Any], where: str) -> None:
    of_text = [name for name in _OF_TEXT if name in table]
    if table.get("format") in ("parquet", "jdbc") and of_text:
        raise UserError(
            f"{where}: {of_text} say how to read text; leave them out for {table['format']}."
        )
    if table.get("format") == "jdbc" and not _TABLE.fullmatch(str(table.get("file", ""))):
        raise UserError(
            f"{where}: file is {table.get('file')!r}; expected the name of a table or view for the "
            "format jdbc, such as shop.ratings. Make a view for anything else."
        )


def _check_times(cls: type[SourceFile], table: dict[str, Any], where: str) -> None:
    if cls is Interactions and ("event_time" in table) == ("synthetic_time" in table):
        raise UserError(f"{where}: give either `event_time` or `synthetic_time`, and not both.")


def _check_earliest(cls: type[SourceFile], table: dict[str, Any], where: str) -> None:
    if cls is Interactions and "earliest" in table:
        _check_date(table["earliest"], "earliest", where)


def _check_date(text: Any, name: str, where: str) -> None:
    try:
        if str(date.fromisoformat(text)) == text:
            return
    except (TypeError, ValueError):
        pass
    raise UserError(f"{where}: {name} is {text!r}, expected a date such as '2020-01-01'.")


def _check_daily(cls: type[SourceFile], table: dict[str, Any], where: str) -> None:
    if DAY not in str(table.get("file", "")):
        return
    if cls is not Interactions or table["file"].count(DAY) > 1:
        raise UserError(
            f"{where}: file is {table['file']!r}; expected {DAY} once, and in [interactions] only."
        )
    if "synthetic_time" in table:
        raise UserError(
            f"{where}: made-up times do not lie on the days of files; give `event_time`, or one "
            f"file without {DAY}."
        )


def _synthetic_time(table: dict[str, Any], where: str) -> SyntheticTime:
    time = build(SyntheticTime, table, where)
    _check_date(time.first_day, "first_day", where)
    if (time.order is None) == (time.places is None):
        raise UserError(
            f"{where}: give either `order`, the column of each interaction's place, or `places`, "
            "how many there are to be, and not both."
        )
    for name in ("spread_days", "step_seconds", "places"):
        if (found := getattr(time, name)) is not None and found < 1:
            raise UserError(f"{where}: {name} is {found}, expected at least 1.")
    return time
