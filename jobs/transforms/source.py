"""From a source's text to typed columns, under the names of the contract of interactions."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from schemas.dataset.source_files import SourceFile, SyntheticTime, TimeUnit
from schemas.dataset.spec import Interactions

# The column in which readers say where a row comes from, and whether it has the file's columns:
# a struct of the file's `number` and name, `file`, `day` (of a file a day), `line` (of text), `row`
# (of Parquet), `is_whole`.
ORIGIN = "_origin"

_FLOAT = r"^(-?(?:0|[1-9]\d*))\.0+$"
_DATE = r"^\s*\d{4}-\d{2}-\d{2}"
_YEARS = (-62_135_596_800, 253_402_300_799)  # 1 to 9999, in seconds
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
    """The name as SQL quotes it, for columns with dots or backticks in their names."""
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
    """A time that no clock showed, from who and the place.

    Null if the place is no number, or leads beyond the years that there are.
    """
    begins = F.pmod(F.xxhash64("user_id", F.lit("first day")), F.lit(time.spread_days))
    if time.places is None:
        place = F.col("event_time").try_cast("bigint")
    else:
        place = F.pmod(F.xxhash64("user_id", "item_id", F.lit("place")), F.lit(time.places))
    start = F.unix_seconds(F.lit(f"{time.first_day} 00:00:00Z").cast("timestamp"))
    within = F.try_multiply(place, F.lit(time.step_seconds))
    seconds = F.try_add(start + begins * 86_400, within)
    return F.timestamp_seconds(F.when(seconds.between(*_YEARS), seconds))
