"""User histories: the interactions of each user in order of time, as one row with an array.

Of repeated interactions of a user with an item only the last is kept, so that an item is never on
both sides of an episode. Users and items are numbered by arrival (jobs/transforms/profiles.py): a
later day adds numbers at the end, so that the histories of an earlier day still hold, and grow.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from schemas.tables.history import TIMELINES

# As episodes see an event. The first fields are the order, and no item comes twice.
EVENT = "struct<event_time: timestamp, item_index: int, rating: float>"


def user_histories(interactions: DataFrame, users: DataFrame, items: DataFrame) -> DataFrame:
    """The rows of `TIMELINES` of these interactions; one shuffle brings a user's together."""
    by_item = F.struct("item_index", "event_time", F.col("rating").cast("float").alias("rating"))
    # A user's interactions are sorted twice where they lie: an aggregation of each user's items
    # before that of users costs more than the rest of this.
    return _as_lists(
        interactions.join(items.select("item_id", "item_index"), on="item_id", how="inner")
        .repartition("user_id")  # else lists would be made before they meet, and again after
        .groupBy("user_id")
        .agg(F.sort_array(F.collect_list(by_item)).alias("by_item"))
        .withColumn("by_item", _last_of_each_item())
        .withColumn("events", F.sort_array(_in_time("by_item")))
        .join(users.select("user_id", "user_index"), on="user_id", how="inner")
    )


def extended(earlier: DataFrame, later: DataFrame, n_earlier: int) -> DataFrame:
    """The histories of `n_earlier` users, merged with later days of old and of new users.

    `later` is expected to be small: every worker gets all of it, and earlier rows are not shuffled.
    """
    again = F.col("item_indices").alias("again")  # a column, lest each event works it out
    added = later.select("user_index", again, _events().alias("added"))
    kept = F.filter("events", lambda event: ~F.array_contains("again", event["item_index"]))
    grown = F.when(F.col("added").isNull(), F.col("events")).otherwise(F.concat(kept, "added"))
    of_earlier = (
        earlier.select("user_index", _events().alias("events"))
        .join(F.broadcast(added), on="user_index", how="left")
        .select("user_index", grown.alias("events"))
    )
    of_new = later.where(F.col("user_index") > n_earlier)
    return _as_lists(of_earlier).unionByName(of_new)


def with_profiles(histories: DataFrame, users: DataFrame, items: DataFrame) -> DataFrame:
    """A row a user of the profiles: user_id, user_index, is_new, is_cold and `events`.

    Beside them `n_existing_items`: new items arrived last, and so have the greatest numbers.
    """
    existing = items.agg(F.count_if(~F.col("is_new")).cast("int").alias("n_existing_items"))
    of_users = users.select("user_id", "user_index", "is_new", "is_cold")
    return (
        histories.select("user_index", _events().alias("events"))
        .join(of_users, on="user_index", how="inner")
        .crossJoin(F.broadcast(existing))
    )


def _last_of_each_item() -> Column:
    def is_last(event: Column, place: Column) -> Column:
        next_item = F.get("by_item", place + 1)["item_index"]
        return F.coalesce(next_item != event["item_index"], F.lit(True))

    return F.filter("by_item", is_last)


def _in_time(events: str) -> Column:
    return F.transform(
        events, lambda event: F.struct(event["event_time"], event["item_index"], event["rating"])
    ).cast(f"array<{EVENT}>")


def _events() -> Column:
    return F.arrays_zip("event_times", "item_indices", "ratings").cast(f"array<{EVENT}>")


def _as_lists(frame: DataFrame) -> DataFrame:
    return frame.select(
        "user_index",
        F.col("events.item_index").alias("item_indices"),
        F.col("events.rating").alias("ratings"),
        F.col("events.event_time").alias("event_times"),
    ).select(*TIMELINES.column_names)
