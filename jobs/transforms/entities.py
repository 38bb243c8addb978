"""From a source's strings to the contracts of users and items: attributes as lists of values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.transforms.source import column, id_text
from jobs.transforms.valid_rows import is_storable_id
from schemas.dataset.spec import Feature
from schemas.tables.columns import Table

_YES = ("1", "1.0", "true", "t", "yes", "y")
_NO = ("0", "0.0", "false", "f", "no", "n", "", "nan", "null", "none")


def entities(
    raw: DataFrame, table: Table, names: Mapping[str, str | None], features: Mapping[str, Feature]
) -> DataFrame:
    """Users or items: `names` maps contract columns to the file's; features become lists.

    A contract column without a name is null: not all data has titles.
    """
    none, [key] = F.lit(None).cast("string"), table.key
    plain = {
        contract: none if source is None else _plain(source, is_key=contract == key)
        for contract, source in names.items()
    }
    are_lists = lists_of(raw)
    lists = {
        name: values(feature, is_list=feature.column in are_lists)
        for name, feature in features.items()
    }
    selected = (expression.alias(name) for name, expression in {**plain, **lists}.items())
    return raw.select(*selected).select(*map(column, table.column_names))


def lists_of(raw: DataFrame) -> set[str]:
    """The names of the columns that hold lists."""
    return {each.name for each in raw.schema if isinstance(each.dataType, T.ArrayType)}


def _plain(name: str, *, is_key: bool) -> Column:
    return id_text(name) if is_key else F.trim(column(name))  # there is a film called 2.0


def users_of(visible: DataFrame, table: Table) -> DataFrame:
    """The users of the interactions, for a source without a file of users."""
    named = visible.where((F.col("user_id") != "") & is_storable_id(F.col("user_id")))
    return named.select("user_id").distinct().select(*table.column_names)


def values(feature: Feature, *, is_list: bool = False) -> Column:
    """The attribute's values as a list of non-empty texts; empty when unknown.

    A value may become a segment, which is part of a key: one that no key can hold is left out.
    """
    # F.trim itself would get the index of the value as the characters to trim.
    trimmed = F.transform(_texts(feature, is_list=is_list), lambda text: F.trim(text))
    kept = F.filter(trimmed, lambda text: (text != "") & is_storable_id(text))
    return F.coalesce(F.array_distinct(kept), F.array().cast("array<string>"))


def has_unstorable(feature: Feature, *, is_list: bool = False) -> Column:
    """Whether a row has a value of the attribute that `values` leaves out."""
    texts = _texts(feature, is_list=is_list)
    return F.coalesce(F.exists(texts, lambda text: ~is_storable_id(F.trim(text))), F.lit(False))


def _texts(feature: Feature, *, is_list: bool) -> Column:
    if feature.flags:
        flags = (F.when(is_set(column(name)), F.lit(name)) for name in feature.flags)
        return F.array_compact(F.array(*flags))
    assert feature.column is not None
    text = column(feature.column)
    if is_list:
        return text
    if feature.pattern is not None:
        text = F.regexp_extract(text, feature.pattern, 1)
    if feature.kind == "bucketed":
        text = _bucket(_plausible(text.try_cast("double"), feature), feature.buckets)
    return F.split(text, _literal(feature.separator)) if feature.separator else F.array(text)


def is_set(flag: Column) -> Column:
    """The value of a flag as programs write it; null for any other text."""
    text = F.lower(F.trim(F.coalesce(flag, F.lit(""))))
    return F.when(text.isin(*_YES), F.lit(True)).when(text.isin(*_NO), F.lit(False))


def _plausible(number: Column, feature: Feature) -> Column:
    lowest = -math.inf if feature.minimum is None else feature.minimum
    highest = math.inf if feature.maximum is None else feature.maximum
    return F.when(number.between(lowest, highest), number)


def _bucket(number: Column, bounds: tuple[float, ...]) -> Column:
    """`<18`, `18-25` (25 excluded), ..., `56+`; null for no number."""
    labels = [f"<{bounds[0]:g}"]
    labels += [f"{low:g}-{high:g}" for low, high in pairwise(bounds)]
    expression = F.when(number < bounds[0], F.lit(labels[0]))
    for high, name in zip(bounds[1:], labels[1:], strict=True):
        expression = expression.when(number < high, F.lit(name))
    return expression.when(number.isNotNull() & ~F.isnan(number), F.lit(f"{bounds[-1]:g}+"))


def _literal(separator: str) -> str:
    return "\\Q" + separator + "\\E"  # Spark splits at a regular expression
