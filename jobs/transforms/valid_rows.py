"""The rules that a parsed interaction must meet, and the first of them that each row breaks."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from schemas.dataset.spec import DatasetSpec, Interactions
from schemas.tables.columns import Table
from schemas.tables.source import MAX_ID_CHARACTERS

_BROADCAST_IDS = 2_000_000
_ROUNDING = 1e-6  # of a step, in floating point


def is_storable_text(text: Column) -> Column:
    """Whether every warehouse can hold it."""
    return ~F.contains(text, F.lit("\0"))


def is_storable_id(text: Column) -> Column:
    """Whether every warehouse can hold it in a key."""
    return is_storable_text(text) & (F.length(text) <= MAX_ID_CHARACTERS)


def with_reasons(
    parsed: DataFrame, users: DataFrame, items: DataFrame, spec: DatasetSpec, *, now: datetime
) -> DataFrame:
    """`parsed` with `reason`: the first rule that a row breaks, null for a valid row.

    An event after `now` comes from a wrong clock; synthetic times have no clock.
    Of rows alike in user, item and time one is valid, the one with the lowest rating (any fixed
    choice would do; it must not depend on how Spark reads the file), and the others are duplicates.
    """
    known_users = _to_all(users.select("user_id", F.lit(True).alias("user_known")))
    known_items = _to_all(items.select("item_id", F.lit(True).alias("item_known")))
    lowest, highest = spec.rating_levels[0], spec.rating_levels[-1]
    rules = (
        ("unparsable_row", ~F.col("is_whole")),
        ("missing_user_id", F.coalesce("user_id", F.lit("")) == ""),
        ("missing_item_id", F.coalesce("item_id", F.lit("")) == ""),
        ("unstorable_user_id", ~is_storable_id(F.col("user_id"))),
        ("unstorable_item_id", ~is_storable_id(F.col("item_id"))),
        ("unreadable_rating", F.col("value").isNull()),
        ("rating_off_scale", ~F.col("value").between(lowest, highest)),
        ("unreadable_event_time", F.col("at").isNull()),
        ("event_too_early", is_too_early(spec.interactions)),
        ("future_event", is_future(spec.interactions, now)),
        ("event_of_another_day", F.to_date("at") != F.col("source_day")),
        ("unknown_user", F.col("user_known").isNull()),
        ("unknown_item", F.col("item_known").isNull()),
    )
    # The first broken rule speaks: later ones must not overwrite it.
    reason = F.coalesce(*(F.when(broken, F.lit(name)) for name, broken in rules))
    place = ("source_file", "source_row", "source_line")
    alike = Window.partitionBy("user_id", "item_id", "at", "reason").orderBy("value", *place)
    is_repeated = F.col("reason").isNull() & (F.row_number().over(alike) > 1)
    return (
        parsed.join(known_users, on="user_id", how="left")
        .join(known_items, on="item_id", how="left")
        .withColumn("reason", reason)
        .withColumn("reason", F.when(is_repeated, F.lit("duplicate")).otherwise(F.col("reason")))
    )


def _to_all(known: DataFrame) -> DataFrame:
    """Ids that every worker gets, unless they are too many: the rows then stay where they are."""
    return F.broadcast(known) if known.count() <= _BROADCAST_IDS else known


def is_between_levels(spec: DatasetSpec) -> Column:
    """Whether the spec's `rating_step` leads to no such rating."""
    if spec.is_implicit:
        return F.lit(False)
    steps = (F.col("value") - spec.rating_levels[0]) / spec.rating_step
    return F.abs(steps - F.rint(steps)) > _ROUNDING


def is_future(spec: Interactions, now: datetime) -> Column:
    """Whether the time of the event is after `now`."""
    return F.lit(False) if spec.synthetic_time else F.col("at") >= F.lit(now)


def is_too_early(spec: Interactions) -> Column:
    """Whether the time of the event is before the spec's `earliest`.

    Programs that do not know a time write the year 1, the epoch or -1.
    """
    if spec.synthetic_time:
        return F.lit(False)
    return F.col("at") < F.lit(f"{spec.earliest} 00:00:00Z").cast("timestamp")


def valid_interactions(checked: DataFrame, table: Table) -> DataFrame:
    """The rows without a reason under the contract's names, beside the day `ds` of each."""
    return (
        checked.where(F.col("reason").isNull())
        .withColumn("rating", F.col("value"))
        .withColumn("event_time", F.col("at"))
        .select(F.to_date("at").alias("ds"), *table.column_names)
    )
