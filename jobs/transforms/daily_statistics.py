"""Statistics of users and items: a day at a time, and of all days up to ds.

Profiles are made of daily statistics. The statistics of a day depend on its interactions alone, so
no night reads all raw history for profiles.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.transforms.splits import is_validation_user
from schemas import utc
from schemas.dataset.holdout import Holdout
from schemas.tables.profiles import RECENT_HALF_LIFE_DAYS


def user_daily_statistics(interactions: DataFrame) -> DataFrame:
    """A row a user and day: `ds, user_id, n_interactions, first_seen, last_seen`."""
    return interactions.groupBy("ds", "user_id").agg(
        F.count("*").alias("n_interactions"),
        F.min("event_time").alias("first_seen"),
        F.max("event_time").alias("last_seen"),
    )


def item_daily_statistics(interactions: DataFrame) -> DataFrame:
    """A row an item and day: counts and sums, `train_...` being those without validation users."""
    may_train = ~is_validation_user()
    return interactions.groupBy("ds", "item_id").agg(
        F.count("*").alias("n_interactions"),
        F.min("event_time").alias("first_seen"),
        _sum(F.col("rating")).alias("rating_sum"),
        F.count_if(may_train).alias("train_n_ratings"),
        _sum(F.when(may_train, F.col("rating"))).alias("train_rating_sum"),
    )


def user_statistics(days: DataFrame, held_out: Holdout, cold_max: int) -> DataFrame:
    """One row a user: `user_id`, n_interactions, first_seen, last_seen, is_new, is_cold."""
    return (
        days.groupBy("user_id")
        .agg(
            F.sum("n_interactions").alias("n_interactions"),
            F.min("first_seen").alias("first_seen"),
            F.max("last_seen").alias("last_seen"),
        )
        .withColumn("is_new", F.col("first_seen") >= F.lit(held_out.new_users_from))
        .withColumn("is_cold", F.col("n_interactions") <= cold_max)
    )


def item_statistics(days: DataFrame, held_out: Holdout, ds: date) -> DataFrame:
    """One row an item: counts up to ds, and the rating statistics that training may see.

    The latter are of `is_training`, and empty for new items: no query rating of a held-out task is
    among them. Held-out days begin at midnight, so that no day is half held out.
    """
    is_new = F.col("first_seen") >= F.lit(held_out.new_items_from)
    is_seen = F.col("first_seen") < F.lit(held_out.new_users_from)  # of a day
    recent = F.col("n_interactions") * _weight_at(ds)
    seen_recent = F.col("train_n_ratings") * _weight_at(utc.day_of(held_out.new_users_from))
    return (
        days.groupBy("item_id")
        .agg(
            F.sum("n_interactions").alias("n_interactions"),
            F.min("first_seen").alias("first_seen"),
            _sum(F.col("rating_sum")).alias("rating_sum"),
            F.sum(F.when(is_seen, F.col("train_n_ratings")).otherwise(0)).alias("seen_n_ratings"),
            _sum(F.when(is_seen, F.col("train_rating_sum"))).alias("seen_rating_sum"),
            _sum(recent).alias("recent_interactions"),
            _sum(F.when(is_seen, seen_recent)).alias("seen_recent"),
        )
        .withColumn("is_new", is_new)
        .withColumn("rating_mean", F.col("rating_sum") / F.col("n_interactions"))
        .withColumn("train_n_ratings", _unless(F.col("is_new"), F.col("seen_n_ratings")))
        .withColumn("train_rating_sum", _unless(F.col("is_new"), F.col("seen_rating_sum")))
        .withColumn("train_recent", _unless(F.col("is_new"), F.col("seen_recent")))
    )


def _weight_at(day: date) -> Column:
    """What an interaction of the row's day still counts on a later `day`."""
    age = F.datediff(F.lit(day), F.to_date("first_seen"))
    return F.pow(F.lit(2.0), -age / F.lit(float(RECENT_HALF_LIFE_DAYS)))


def _sum(ratings: Column) -> Column:
    """A sum of decimals, because a sum of doubles depends on their order."""
    return F.coalesce(F.sum(ratings.cast("decimal(28, 6)")).cast("double"), F.lit(0.0))


def _unless(condition: Column, number: Column) -> Column:
    return F.when(condition, F.lit(0)).otherwise(number)
