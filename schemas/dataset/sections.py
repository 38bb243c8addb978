"""The sections of a dataset spec that describe no file."""

from __future__ import annotations

import re
from typing import Self

from pydantic import model_validator

from schemas.toml_file import Day, NotNegative, Positive, Record

_SECRET = re.compile(r"(user|password|pwd)\s*=|//[^/]*@", re.IGNORECASE)


class Fetch(Record):
    """Where a public data set comes from: a folder inside a wheel of the package index."""

    requirement: str
    """The wheel's name and version, such as `recbole==1.2.1`."""
    sha256: str
    """Of the wheel's file."""
    folder: str
    """Where the wheel has the files."""


class Expected(Record):
    """What a known data set holds, checked after reading; days are UTC."""

    interactions: int
    """How many rows it has."""
    users: int
    """How many there are."""
    items: int
    """How many there are."""
    first_day: Day
    """Of the earliest interaction."""
    last_day: Day
    """Of the latest interaction."""


class Database(Record):
    """Where sections of the format `jdbc` have their tables.

    User and password come from the environment (schemas/run/settings.py), never from a spec, which
    is copied into the lake.
    """

    url: str
    """Begins with jdbc:"""
    driver: str | None = None
    """The Java class, for a driver that does not name itself."""

    @model_validator(mode="after")
    def _keeps_no_secret(self) -> Self:
        """Of the section, so that the error does not show the url."""
        if not self.url.startswith("jdbc:") or _SECRET.search(self.url):
            raise ValueError(
                "expected a url that begins with jdbc: and holds no user and no password; put "
                "those into COLDSTART_SOURCE_USER and COLDSTART_SOURCE_PASSWORD"
            )
        return self


class ColdStart(Record):
    """What is new, what is cold, and how episodes are cut.

    Early nights, with little history, hold out at most a quarter of it for users and a half for
    items: people arrive every day, while most items are there from the start.
    """

    new_user_days: Positive = 28
    """Who is first seen in so many last days of the data up to `ds` is new."""
    new_item_days: Positive = 84
    """What is first seen in so many last days of the data up to `ds` is new."""
    cold_user_max_interactions: NotNegative = 30
    """The most interactions of a cold user."""
    min_support: NotNegative = 3
    """The least interactions of a support."""
    max_support: Positive = 30
    """The most interactions of a support."""
    min_query: Positive = 2
    """The least interactions of a query."""
    query_size: Positive = 10
    """The most interactions of a query."""
    max_episodes_per_user: Positive = 8
    """Windows of a user's past that become episodes."""

    @model_validator(mode="after")
    def _supports_can_be_cut(self) -> Self:
        if self.min_support > self.max_support:
            raise ValueError(
                f"min_support is {self.min_support} and max_support {self.max_support}; expected "
                "the one not above the other"
            )
        if self.min_query > self.query_size:
            raise ValueError(
                f"min_query is {self.min_query} and query_size {self.query_size}; expected the one "
                "not above the other, or no user has a query"
            )
        return self


class Negatives(Record):
    """How many items that a user left alone are drawn into the tasks of implicit feedback."""

    support_per_positive: NotNegative = 1
    """So many times the positives of a support."""
    train_query_per_positive: Positive = 4
    """So many times the positives of a query, in training and validation."""
    test_query: Positive = 100
    """In all, for the query of a test task: hit rates in the literature are counted against 100."""
    seed: int = 20
    """Changes what is drawn."""
