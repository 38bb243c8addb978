"""From a source's strings to the contracts: parsed interactions, entities with lists of values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from schemas.columns import Table
from schemas.dataset_spec import DatasetSpec, Feature, Interactions
from schemas.source_files import SyntheticTime

# The column in which readers say where a row comes from, and whether it has the file's columns:
# a struct of `file`, `line` (of text), `row` (of Parquet) and `is_whole`.
ORIGIN = "_origin"

_MICROSECONDS = {"seconds": 1_000_000, "milliseconds": 1_000}


def column(name: str) -> Column:
    """The column of exactly this name, dots and all."""
    return F.col(quoted(name))


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def parse_interactions(raw: DataFrame, spec: Interactions) -> DataFrame:
    """The source's text under the contract's names, with `value` and `at`: null if unreadable.

    Implicit feedback has no text for a rating, and the value 1. Where times are synthetic, the
    place in the order is the text of the time. A row that is not whole has no time: nobody knows
    which column its values belong to.
    """
    is_implicit = spec.rating is None
    rating = F.lit(None).cast("string") if spec.rating is None else column(spec.rating)
    synthetic = spec.synthetic_time
    time = spec.event_time if synthetic is None else synthetic.order
    assert time is not None
    # Through a decimal: a double would round microseconds away.
    number = F.col("event_time").try_cast("decimal(20, 6)")
    micros = (number * _MICROSECONDS[spec.time_unit]).cast("bigint")
    return (
        raw.select(
            column(spec.user_id).alias("user_id"),
            column(spec.item_id).alias("item_id"),
            rating.alias("rating"),
            column(time).alias("event_time"),
            F.col(f"{ORIGIN}.file").alias("source_file"),
            F.col(f"{ORIGIN}.line").alias("source_line"),
            F.col(f"{ORIGIN}.row").alias("source_row"),
            F.col(f"{ORIGIN}.is_whole").alias("is_whole"),
        )
        .withColumn("value", F.lit(1.0) if is_implicit else F.col("rating").try_cast("double"))
        .withColumn(
            "at",
            F.when(
                F.col("is_whole"),
                F.timestamp_micros(micros) if synthetic is None else _synthetic(synthetic),
            ),
        )
    )


def _synthetic(time: SyntheticTime) -> Column:
    """A time that no clock showed, from who and the place in order; null if that is no number."""
    begins = F.pmod(F.xxhash64("user_id", F.lit("first day")), F.lit(time.spread_days))
    place = F.col("event_time").try_cast("bigint")
    start = F.unix_seconds(F.lit(f"{time.first_day} 00:00:00Z").cast("timestamp"))
    return F.timestamp_seconds(start + begins * 86_400 + place * time.step_seconds)


def with_reasons(
    parsed: DataFrame, users: DataFrame, items: DataFrame, spec: DatasetSpec, *, now: datetime
) -> DataFrame:
    """`parsed` with `reason`: the first rule that a row breaks, null for a valid row.

    An event that lies after `now` comes from a clock that is wrong; synthetic times have no clock.
    Of rows alike in user, item and time one is valid, the one with the lowest rating (any fixed
    choice would do; it must not depend on the order of the file), and the others are duplicates.
    """
    known_users = users.select("user_id", F.lit(True).alias("user_known"))
    known_items = items.select("item_id", F.lit(True).alias("item_known"))
    lowest, highest = spec.rating_levels[0], spec.rating_levels[-1]
    rules = (
        ("unparsable_row", ~F.col("is_whole")),
        ("missing_user_id", F.coalesce(F.trim("user_id"), F.lit("")) == ""),
        ("missing_item_id", F.coalesce(F.trim("item_id"), F.lit("")) == ""),
        ("unreadable_rating", F.col("value").isNull()),
        ("rating_off_scale", ~F.col("value").between(lowest, highest)),
        ("unreadable_event_time", F.col("at").isNull()),
        ("future_event", is_ahead(spec.interactions, now)),
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


def is_ahead(spec: Interactions, now: datetime) -> Column:
    """Whether a clock says of the event that it happens after `now`."""
    return F.lit(False) if spec.synthetic_time else F.col("at") >= F.lit(now)


def valid_interactions(checked: DataFrame, table: Table) -> DataFrame:
    return (
        checked.where(F.col("reason").isNull())
        .withColumn("rating", F.col("value"))
        .withColumn("event_time", F.col("at"))
        .select(*table.column_names)
    )


def entities(
    raw: DataFrame, table: Table, names: Mapping[str, str | None], features: Mapping[str, Feature]
) -> DataFrame:
    """Users or items: `names` maps contract columns to the file's; features become lists.

    A contract column without a name is null: not all data has titles.
    """
    plain = {
        contract: F.lit(None).cast("string") if source is None else F.trim(column(source))
        for contract, source in names.items()
    }
    are_lists = {each.name for each in raw.schema if isinstance(each.dataType, T.ArrayType)}
    lists = {
        name: values(feature, is_list=feature.column in are_lists)
        for name, feature in features.items()
    }
    selected = (expression.alias(name) for name, expression in {**plain, **lists}.items())
    return raw.select(*selected).select(*table.column_names)


def users_of(visible: DataFrame, table: Table) -> DataFrame:
    """Whom the interactions name, for a source that has nothing else to say of its users."""
    named = visible.where(F.trim("user_id") != "")
    return named.select("user_id").distinct().select(*table.column_names)


def values(feature: Feature, *, is_list: bool = False) -> Column:
    """The attribute's values as a list of non-empty texts; empty when unknown."""
    if feature.flags:
        flags = (F.when(column(name) == "1", F.lit(name)) for name in feature.flags)
        return F.array_compact(F.array(*flags))
    assert feature.column is not None
    text = column(feature.column)
    if is_list:
        return _kept(text)
    if feature.pattern is not None:
        text = F.regexp_extract(text, feature.pattern, 1)
    if feature.kind == "bucketed":
        text = _bucket(text.try_cast("double"), feature.buckets)
    many = F.split(text, _literal(feature.separator)) if feature.separator else F.array(text)
    return _kept(many)


def _kept(many: Column) -> Column:
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
