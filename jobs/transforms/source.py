"""From a source's strings to the contracts: parsed interactions, entities with lists of values."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from schemas.columns import Table
from schemas.dataset_spec import DatasetSpec, Feature, Interactions

_MICROSECONDS = {"seconds": 1_000_000, "milliseconds": 1_000}


def column(name: str) -> Column:
    """The column of exactly this name, dots and all."""
    return F.col("`" + name.replace("`", "``") + "`")


def parse_interactions(raw: DataFrame, spec: Interactions) -> DataFrame:
    """The source's text under the contract's names, with `value` and `at`: null if unreadable."""
    # Through a decimal: a double would round microseconds away.
    number = F.col("event_time").try_cast("decimal(20, 6)")
    micros = (number * _MICROSECONDS[spec.time_unit]).cast("bigint")
    return (
        raw.select(
            column(spec.user_id).alias("user_id"),
            column(spec.item_id).alias("item_id"),
            column(spec.rating).alias("rating"),
            column(spec.event_time).alias("event_time"),
        )
        .withColumn("value", F.col("rating").try_cast("double"))
        .withColumn("at", F.timestamp_micros(micros))
    )


def with_reasons(
    parsed: DataFrame, users: DataFrame, items: DataFrame, spec: DatasetSpec
) -> DataFrame:
    """`parsed` with `reason`: the first rule that a row breaks, null for a valid row.

    Of rows alike in user, item and time one is valid, the one with the lowest rating (any fixed
    choice would do; it must not depend on the order of the file), and the others are duplicates.
    """
    known_users = users.select("user_id", F.lit(True).alias("user_known"))
    known_items = items.select("item_id", F.lit(True).alias("item_known"))
    lowest, highest = spec.rating_scale
    rules = (
        ("missing_user_id", F.coalesce(F.trim("user_id"), F.lit("")) == ""),
        ("missing_item_id", F.coalesce(F.trim("item_id"), F.lit("")) == ""),
        ("unreadable_rating", F.col("value").isNull()),
        ("rating_off_scale", ~F.col("value").between(lowest, highest)),
        ("unreadable_event_time", F.col("at").isNull()),
        ("unknown_user", F.col("user_known").isNull()),
        ("unknown_item", F.col("item_known").isNull()),
    )
    # The first broken rule speaks: later ones must not overwrite it.
    reason = F.coalesce(*(F.when(broken, F.lit(name)) for name, broken in rules))
    alike = Window.partitionBy("user_id", "item_id", "at", "reason").orderBy("value")
    is_repeated = F.col("reason").isNull() & (F.row_number().over(alike) > 1)
    return (
        parsed.join(known_users, on="user_id", how="left")
        .join(known_items, on="item_id", how="left")
        .withColumn("reason", reason)
        .withColumn("reason", F.when(is_repeated, F.lit("duplicate")).otherwise(F.col("reason")))
    )


def valid_interactions(checked: DataFrame, table: Table) -> DataFrame:
    return (
        checked.where(F.col("reason").isNull())
        .withColumn("rating", F.col("value"))
        .withColumn("event_time", F.col("at"))
        .select(*table.column_names)
    )


def entities(
    raw: DataFrame, table: Table, names: Mapping[str, str], features: Mapping[str, Feature]
) -> DataFrame:
    """Users or items: `names` maps contract columns to the file's; features become lists."""
    plain = {contract: F.trim(column(source)) for contract, source in names.items()}
    lists = {name: values(feature) for name, feature in features.items()}
    selected = (expression.alias(name) for name, expression in {**plain, **lists}.items())
    return raw.select(*selected).select(*table.column_names)


def values(feature: Feature) -> Column:
    """The attribute's values as a list of non-empty texts; empty when unknown."""
    if feature.flags:
        flags = (F.when(column(name) == "1", F.lit(name)) for name in feature.flags)
        return F.array_compact(F.array(*flags))
    assert feature.column is not None
    text = column(feature.column)
    if feature.pattern is not None:
        text = F.regexp_extract(text, feature.pattern, 1)
    if feature.kind == "bucketed":
        text = _bucket(text.try_cast("double"), feature.buckets)
    many = F.split(text, _literal(feature.separator)) if feature.separator else F.array(text)
    trimmed = F.transform(many, lambda value: F.trim(value))
    kept = F.array_distinct(F.filter(trimmed, lambda value: value != ""))
    return F.coalesce(kept, F.array().cast("array<string>"))


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
