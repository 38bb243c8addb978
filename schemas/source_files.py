"""The sections of a dataset spec that say what a source's files hold, and in which columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, TypeVar

from schemas.errors import UserError
from schemas.toml_record import build

Section = TypeVar("Section", bound="SourceFile")

DAY = "{day}"  # in the file's name, where there is a file a day: 2026-01-31
_TABLE = re.compile(r"\w+(\.\w+){0,2}")  # nothing that a database would read as more than a name
_OF_TEXT = ("delimiter", "quote", "escape", "encoding", "columns", "nulls")


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One attribute of a user or an item.

    `categorical`: one value; `multi`: many, a list column of a Parquet file, or text split at
    `separator`, or one per 0/1 column in `flags`; `bucketed`: a number put between the ascending
    `buckets`, unknown below `minimum` and above `maximum`, where nobody's age can lie. `pattern`
    picks its first group out of the column's text.
    """

    kind: Literal["categorical", "multi", "bucketed"]
    column: str | None = None
    pattern: str | None = None
    separator: str | None = None
    flags: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file of rows: delimited text, or Parquet, which names its columns itself.

    With the format `jdbc`, `file` is a table (or view) of the spec's [database].

    For text, a row is one line. `columns` names them when the file has no header, and `quote` is
    the character around values that hold the delimiter; empty when there is none. A quote inside
    such a value has `escape` before it, without one another quote. `nulls` are texts that stand for
    no value.

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
    as 2026-01-31T12:00:00Z, which is UTC where it names no offset; a date is its midnight.
    Implicit feedback has no `rating`. Without times, `synthetic_time` takes `event_time`'s place.

    A name with `{day}` in it stands for a file, or a folder of files, for each UTC day, which holds
    that day's events: a night reads only those that are new or changed.
    """

    user_id: str
    item_id: str
    rating: str | None = None
    event_time: str | None = None
    time_unit: Literal["seconds", "milliseconds"] = "seconds"
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
    values = dict(table)
    if isinstance(table.get("features"), dict):
        values["features"] = {
            name: _feature(feature, f"{where[:-1]}.features.{name}]")
            for name, feature in table["features"].items()
        }
    if isinstance(table.get("synthetic_time"), dict):
        place = f"{where[:-1]}.synthetic_time]"
        values["synthetic_time"] = _synthetic_time(table["synthetic_time"], place)
    if cls is Interactions and ("event_time" in table) == ("synthetic_time" in table):
        raise UserError(f"{where}: give either `event_time` or `synthetic_time`, and not both.")
    if DAY in str(table.get("file", "")):
        _check_daily(cls, table, where)
    return build(cls, values, where)


def _check_daily(cls: type[SourceFile], table: dict[str, Any], where: str) -> None:
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
    try:
        date.fromisoformat(time.first_day)
    except ValueError:
        raise UserError(
            f"{where}: first_day is {time.first_day!r}, expected a date such as '2020-01-01'."
        ) from None
    if (time.order is None) == (time.places is None):
        raise UserError(
            f"{where}: give either `order`, the column of each interaction's place, or `places`, "
            "how many there are to be, and not both."
        )
    for name in ("spread_days", "step_seconds", "places"):
        if (found := getattr(time, name)) is not None and found < 1:
            raise UserError(f"{where}: {name} is {found}, expected at least 1.")
    return time


def _feature(values: Any, where: str) -> Feature:
    if not isinstance(values, dict):
        raise UserError(f"{where}: is {values!r}, expected a table with a `kind`.")
    feature = build(Feature, values, where)
    if (feature.column is None) == (not feature.flags):
        raise UserError(f"{where}: give either `column` or `flags`, and not both.")
    if feature.flags and feature.kind != "multi":
        raise UserError(f"{where}: `flags` belong to kind 'multi', not {feature.kind!r}.")
    if feature.kind == "bucketed" and list(feature.buckets) != sorted(set(feature.buckets)):
        raise UserError(f"{where}: buckets are {list(feature.buckets)}, expected them ascending.")
    if (feature.kind == "bucketed") != bool(feature.buckets):
        raise UserError(f"{where}: `buckets` belong to kind 'bucketed', and it needs them.")
    lowest, highest = feature.minimum, feature.maximum
    if feature.kind != "bucketed" and not (lowest is None and highest is None):
        raise UserError(
            f"{where}: `minimum` and `maximum` belong to kind 'bucketed', not {feature.kind!r}."
        )
    if lowest is not None and highest is not None and lowest > highest:
        raise UserError(f"{where}: minimum is {lowest:g}, expected at most maximum, {highest:g}.")
    return feature
