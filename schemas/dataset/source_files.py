"""The sections of a dataset spec that say what a source's files hold, and in which columns."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from schemas.dataset.features import Features
from schemas.toml_file import Day, Positive, Record, Texts

TimeUnit = Literal["seconds", "milliseconds", "microseconds", "nanoseconds", "digits"]

Character = Annotated[str, Field(max_length=1)]
DAY = "{day}"  # in the file's name, where there is a file a day: 2026-01-31
_TABLE = re.compile(r"\w+(\.\w+){0,2}")  # nothing that a database would read as more than a name
_OF_TEXT = ("delimiter", "quote", "escape", "encoding", "columns", "nulls", "multiline")
# Columns of the tables of users and of items that are not features (schemas/tables/profiles.py).
_OF_BOTH = frozenset(("n_interactions", "first_seen", "is_new", "ds"))
_OF_ITEMS = (
    "item_id",
    "item_index",
    "title",
    "rating_mean",
    "train_n_ratings",
    "train_rating_sum",
    "recent_interactions",
    "train_recent",
)


class SourceFile(Record):
    """A file of rows: delimited text, or Parquet, which names its columns itself.

    Text may be packed by gzip or bzip2. Of all rows those count that have each value of `only` in
    its column, and no value of `without`.
    """

    file: str
    """A file or folder beside the spec; with the format `jdbc` a table (or view) of [database]."""
    format: Literal["delimited", "parquet", "jdbc"] = "delimited"
    """Delimited text, Parquet, or a table of a database."""
    delimiter: Annotated[str, Field(min_length=1)] = ","
    """What stands between the values of a row of text."""
    quote: Character = '"'
    """The character around values that hold the delimiter; empty when there is none."""
    encoding: Literal["UTF-8", "ISO-8859-1"] = "UTF-8"
    """Of text."""
    columns: Texts = ()
    """The names of the columns, when the file has no header."""
    escape: Character | None = None
    """What stands before a quote inside a quoted value; another quote unless this says so."""
    nulls: Texts = ()
    """Texts that stand for no value."""
    multiline: bool = False
    """Read rows over several lines, where quoted values hold line breaks: each file by one reader.
    Without it a row is one line."""
    only: dict[str, str] = Field(default_factory=dict)
    """The rows that count: the value that each of these columns has."""
    without: dict[str, str] = Field(default_factory=dict)
    """The rows that do not count: a value that any of these columns has."""

    may_be_daily: ClassVar[bool] = False

    @field_validator("file")
    @classmethod
    def _names_days_once(cls, file: str) -> str:
        if file.count(DAY) > cls.may_be_daily:
            raise ValueError(f"expected {DAY} once, and in [interactions] only")
        return file

    @model_validator(mode="after")
    def _fits_its_format(self) -> Self:
        of_text = [name for name in _OF_TEXT if name in self.model_fields_set]
        if self.format != "delimited" and of_text:
            raise ValueError(f"{of_text} say how to read text; leave them out for {self.format}")
        if self.format == "jdbc" and not _TABLE.fullmatch(self.file):
            raise ValueError(
                f"file is {self.file!r}; expected the name of a table or view for the format jdbc, "
                "such as shop.ratings. Make a view for anything else"
            )
        return self


class SyntheticTime(Record):
    """Times made up for data that has an order within each user at most: no clock ever showed them.

    Without an order, an interaction's place is drawn by a hash of user and item: rows that come
    later move no other row.
    """

    first_day: Day
    """The first day on which a user begins."""
    spread_days: Positive
    """A user begins on one of so many days, by a hash of the id, at midnight UTC."""
    step_seconds: Positive
    """What each place after the user's first adds."""
    order: str | None = None
    """The column of an interaction's place within its user."""
    places: Positive | None = None
    """Without an order: how many places there are to be."""

    @model_validator(mode="after")
    def _has_places(self) -> Self:
        if (self.order is None) == (self.places is None):
            raise ValueError(
                "give either `order`, the column of each interaction's place, or `places`, how "
                "many there are to be, and not both"
            )
        return self


class Interactions(SourceFile):
    """Which columns of the file hold who, what, how much and when.

    A name with `{day}` in it stands for a file, or a folder of files, for each UTC day, which holds
    that day's events: a night reads only those that are new or changed.
    """

    user_id: str
    """The column of the users' ids."""
    item_id: str
    """The column of the items' ids."""
    rating: str | None = None
    """The column of the ratings; implicit feedback has none."""
    event_time: str | None = None
    """The column of times: Unix times in `time_unit`, or timestamps; of that type in Parquet, or as
    text such as 2026-01-31T12:00:00Z, in UTC where it names no offset; a date is its midnight."""
    time_unit: TimeUnit = "seconds"
    """Of Unix times; `digits` is for numbers such as 20260131120000 or 20260131."""
    earliest: Day = "1990-01-01"
    """An event before this day has a time that stands for none, and is set aside."""
    synthetic_time: SyntheticTime | None = None
    """Takes the place of `event_time` in data without times."""

    may_be_daily: ClassVar[bool] = True

    @property
    def is_daily(self) -> bool:
        """Whether the name holds `{day}`: a file a day, of which ingest reads changed ones."""
        return DAY in self.file

    @model_validator(mode="after")
    def _has_times(self) -> Self:
        if (self.event_time is None) == (self.synthetic_time is None):
            raise ValueError("give either `event_time` or `synthetic_time`, and not both")
        if self.is_daily and self.synthetic_time is not None:
            raise ValueError(
                "made-up times do not lie on the days of files; give `event_time`, or one file "
                f"without {DAY}"
            )
        return self


class Entities(SourceFile):
    """Users or items, one a row, and their features."""

    features: Features = Field(default_factory=dict)
    """By name."""

    own_columns: ClassVar[frozenset[str]]

    @field_validator("features")
    @classmethod
    def _leaves_our_names(cls, features: Features) -> Features:
        if wrong := sorted(name for name in features if name.lower() in cls.own_columns):
            raise ValueError(
                f"{wrong} are names of columns that the table has of its own "
                f"({sorted(cls.own_columns)}). Choose other names; `column` may stay as it is"
            )
        return features


class Users(Entities):
    """The users, with features beyond their interactions."""

    user_id: str
    """The column of the users' ids."""

    own_columns = _OF_BOTH | {"user_id", "user_index", "last_seen", "is_cold"}


class Items(Entities):
    """The items."""

    item_id: str
    """The column of the items' ids."""
    title: str | None = None
    """The column of what people call the items."""

    own_columns = _OF_BOTH.union(_OF_ITEMS)
