"""Attributes of users and items in a dataset spec, and what their columns are called."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from schemas.dataset.toml_record import build
from schemas.errors import UserError


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


def as_column(name: str) -> str:
    """A feature's name in the lake and the warehouse.

    Engines disagree about dots, blanks and quotes in names, so these become underscores there.
    """
    return re.sub(r"\W", "_", name)


def column_name(feature: str, where: str, others: Collection[str]) -> str:
    """What the feature's column is called; a `UserError` where it cannot be, or another's is."""
    name = as_column(feature)
    if not name.strip("_") or name[0].isdigit():
        raise UserError(
            f"{where}: the feature's name is {feature!r}; expected one that begins with a letter. "
            "Choose another name; `column` may stay as it is."
        )
    if name.lower() in {other.lower() for other in others}:
        raise UserError(
            f"{where}: the feature {feature!r} has the column {name!r}, as another feature has; "
            "expected names that differ by more than capitals, blanks and dots. Rename one."
        )
    return name


def feature_of(values: Any, where: str) -> Feature:
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
