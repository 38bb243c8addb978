"""Days' partial aggregates, and what they come to at ds, on small literal frames."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.transforms import daily_statistics as T
from jobs.transforms.splits import is_validation_user
from schemas.dataset.holdout import Holdout

HELD_OUT = Holdout(
    new_users_from=datetime(1998, 3, 10, tzinfo=UTC),
    new_items_from=datetime(1998, 3, 5, tzinfo=UTC),
)
SCHEMA = "user_id string, item_id string, rating double, event_time timestamp"


def _by_day(spark: SparkSession, *rows: tuple) -> DataFrame:
    return spark.createDataFrame(list(rows), SCHEMA).withColumn("ds", F.to_date("event_time"))


def day(number: int) -> datetime:
    return datetime(1998, 3, number, 12, tzinfo=UTC)


def _training_user(spark: SparkSession) -> str:
    """An id outside the validation tenth, found by the rule itself."""
    ids = spark.range(50).select(F.concat(F.lit("u"), "id").alias("user_id"))
    row = ids.where(~is_validation_user()).orderBy("user_id").first()
    assert row is not None
    return str(row.user_id)


def _validation_user(spark: SparkSession) -> str:
    ids = spark.range(50).select(F.concat(F.lit("u"), "id").alias("user_id"))
    row = ids.where(is_validation_user()).orderBy("user_id").first()
    assert row is not None
    return str(row.user_id)


def test_user_statistics(spark: SparkSession) -> None:
    events = [("a", "x", 3.0, day(1)), ("a", "y", 4.0, day(12)), ("b", "x", 5.0, day(10))]
    rows = (
        T.user_statistics(T.user_daily_statistics(_by_day(spark, *events)), HELD_OUT, cold_max=1)
        .orderBy("user_id")
        .collect()
    )
    assert [(r.user_id, r.n_interactions, r.is_new, r.is_cold) for r in rows] == [
        ("a", 2, False, False),
        ("b", 1, True, True),
    ]
    assert rows[0].first_seen.astimezone(UTC) == day(1)
    assert rows[0].last_seen.astimezone(UTC) == day(12)


def test_training_statistics_hold_no_held_out_rating(spark: SparkSession) -> None:
    """Only the training user's early rating of the old item may count."""
    train, validation = _training_user(spark), _validation_user(spark)
    frame = _by_day(
        spark,
        (train, "old", 2.0, day(1)),  # counts
        (train, "old", 5.0, day(11)),  # held-out days
        (validation, "old", 5.0, day(1)),  # validation user
        ("new", "old", 5.0, day(12)),  # new user
        (train, "young", 5.0, day(6)),  # new item
    )
    days = T.item_daily_statistics(frame)
    rows = T.item_statistics(days, HELD_OUT, date(1998, 3, 12)).orderBy("item_id").collect()
    assert [
        (
            r.item_id,
            r.n_interactions,
            r.rating_mean,
            r.is_new,
            r.train_n_ratings,
            r.train_rating_sum,
        )
        for r in rows
    ] == [("old", 4, 4.25, False, 1, 2.0), ("young", 1, 5.0, True, 0, 0.0)]


def test_what_is_recent_counts_half_as_much_every_fortnight(spark: SparkSession) -> None:
    train, validation = _training_user(spark), _validation_user(spark)
    frame = _by_day(
        spark,
        (train, "old", 2.0, day(1)),  # nine days before the held-out ones, eleven before ds
        (train, "old", 2.0, day(9)),
        (validation, "old", 5.0, day(9)),
        ("new", "old", 5.0, day(12)),  # on ds
        (train, "young", 5.0, day(6)),
    )
    days = T.item_daily_statistics(frame).drop("ds")  # which no night reads
    rows = T.item_statistics(days, HELD_OUT, date(1998, 3, 12)).orderBy("item_id").collect()

    def weight(age: int) -> float:
        return float(2 ** (-age / 14))

    old, young = rows
    assert old.recent_interactions == pytest.approx(weight(11) + 2 * weight(3) + 1, abs=1e-5)
    assert old.train_recent == pytest.approx(weight(9) + weight(1), abs=1e-5)
    assert young.recent_interactions == pytest.approx(weight(6), abs=1e-5)
    assert young.train_recent == 0
