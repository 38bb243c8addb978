"""From a source's strings to the contract of interactions: parsed, and held to the rules."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from schemas.dataset.source_files import SourceFile, SyntheticTime, TimeUnit
from schemas.dataset.spec import DatasetSpec, Interactions
from schemas.tables.columns import Table
from schemas.tables.source import MAX_ID_CHARACTERS

# The column in which readers say where a row comes from, and whether it has the file's columns:
# a struct of the file's `number` and name, `file`, `day` (of a file a day), `line` (of text), `row`
# (of Parquet), `is_whole`.
ORIGIN = "_origin"

_BROADCAST_IDS = 2_000_000
_ROUNDING = 1e-6  # of a step, in floating point
_FLOAT = r"^(-?(?:0|[1-9]\d*))\.0+$"
_DATE = r"^\s*\d{4}-\d{2}-\d{2}"
_DIGITS = r"^(\d{8}(?:\d\d){0,3})$"
_MICROSECONDS = {
    "seconds": Decimal(1_000_000),
    "milliseconds": Decimal(1_000),
    "microseconds": Decimal(1),
    "nanoseconds": Decimal("0.001"),
}


def column(name: str) -> Column:
    """The column of exactly this name, dots and all."""
    return F.col(quoted(name))


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def is_chosen(file: SourceFile) -> Column:
    """Whether a row has the values of `only` and none of those of `without`.

    A row that is not whole is chosen: what it says of them may be of another column.
    """
    wanted = (F.trim(column(name)) == value for name, value in file.only.items())
    unwanted = (F.trim(column(name)) == value for name, value in file.without.items())
    # A missing value is none of those left out.
    kept = (~F.coalesce(is_left_out, F.lit(False)) for is_left_out in unwanted)
    chosen = reduce(Column.__and__, (*wanted, *kept), F.lit(True))
    return F.coalesce(chosen, F.lit(False)) | ~F.col(f"{ORIGIN}.is_whole")


def id_text(name: str) -> Column:
    """An id as it is compared and kept, in whatever file it stands.

    Databases pad ids with blanks. Whole numbers get a point where a column with missing values was
    written as floating-point numbers: 7.0 is 7. No number is written 007.0, nor 1.0.0.
    """
    text = F.trim(column(name))
    # Most ids have no point, and to look for one costs less than the pattern.
    return F.when(F.contains(text, F.lit(".0")), F.regexp_replace(text, _FLOAT, "$1")).otherwise(
        text
    )


def parse_interactions(raw: DataFrame, spec: Interactions) -> DataFrame:
    """The source's text under the contract's names, with `value` and `at`: null if unreadable.

    Implicit feedback has no text for a rating, and the value 1. Where times are synthetic, the
    place in the order, if there is one, is the text of the time. A row that is not whole has no
    time: nobody knows which column its values belong to.
    """
    is_implicit = spec.rating is None
    rating = F.lit(None).cast("string") if spec.rating is None else column(spec.rating)
    synthetic = spec.synthetic_time
    time = spec.event_time if synthetic is None else synthetic.order
    return (
        raw.select(
            id_text(spec.user_id).alias("user_id"),
            id_text(spec.item_id).alias("item_id"),
            rating.alias("rating"),
            (F.lit(None).cast("string") if time is None else column(time)).alias("event_time"),
            F.col(f"{ORIGIN}.number").alias("source_number"),
            F.col(f"{ORIGIN}.file").alias("source_file"),
            F.col(f"{ORIGIN}.line").alias("source_line"),
            F.col(f"{ORIGIN}.row").alias("source_row"),
            F.col(f"{ORIGIN}.is_whole").alias("is_whole"),
            F.col(f"{ORIGIN}.day").alias("source_day"),
        )
        .withColumn("value", F.lit(1.0) if is_implicit else F.col("rating").try_cast("double"))
        .withColumn(
            "at",
            F.when(
                F.col("is_whole"),
                _clock(spec.time_unit) if synthetic is None else _synthetic(synthetic),
            ),
        )
    )


def _clock(unit: TimeUnit) -> Column:
    """A Unix time, or a timestamp in words, which is UTC where it names no offset.

    Null where it is neither, or out of the range of timestamps.
    """
    text = F.trim("event_time")
    if unit == "digits":
        return F.coalesce(_digits(text), _words(text))
    # Through a decimal: a double would round microseconds away. Times of day in scientific
    # notation are of a program that took them for measurements.
    number = text.try_cast("decimal(38, 9)")
    micros = F.try_multiply(number, F.lit(_MICROSECONDS[unit])).try_cast("bigint")
    return F.coalesce(F.timestamp_micros(micros), _words(text))


def _words(text: Column) -> Column:
    # Spark takes a bare time of day for one of today.
    return F.when(text.rlike(_DATE), text.try_cast("timestamp"))


def _digits(text: Column) -> Column:
    """20260131, or 20260131120000, with or without hours, minutes and seconds."""
    whole = F.rpad(F.regexp_extract(text, _DIGITS, 1), 14, "0")
    spelled = F.regexp_replace(whole, r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)", "$1-$2-$3 $4:$5:$6")
    return F.when(text.rlike(_DIGITS), spelled.try_cast("timestamp"))


def _synthetic(time: SyntheticTime) -> Column:
    """A time that no clock showed, from who and the place; null if that is no number."""
    begins = F.pmod(F.xxhash64("user_id", F.lit("first day")), F.lit(time.spread_days))
    if time.places is None:
        place = F.col("event_time").try_cast("bigint")
    else:
        place = F.pmod(F.xxhash64("user_id", "item_id", F.lit("place")), F.lit(time.places))
    start = F.unix_seconds(F.lit(f"{time.first_day} 00:00:00Z").cast("timestamp"))
    return F.timestamp_seconds(start + begins * 86_400 + place * time.step_seconds)


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
