"""Timelines: what each user did, in order of time, as one row with an array.

Of repeated interactions of a user with an item only the last is kept, so that an item is never on
both sides of an episode. Users and items are numbered by arrival (jobs/transforms/profiles.py): a
later day adds numbers at the end, so that an earlier day's timelines still hold, and grow.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from schemas.activity_tables import TIMELINES

# An event as episodes see it: `position` from 1, and whether the item is new.
EVENT = (
    "struct<position: int, event_time: timestamp, item_index: int, is_new: boolean, rating: float>"
)
# The first fields are the order.
_EVENTS = "array<struct<event_time: timestamp, item_index: int, rating: float>>"


def timelines(interactions: DataFrame, users: DataFrame, items: DataFrame) -> DataFrame:
    """The rows of `TIMELINES` of these interactions; one shuffle brings a user's together."""
    latest = (
        interactions.join(items.select("item_id", "item_index"), on="item_id", how="inner")
        .repartition("user_id")  # both groupings find their rows together: there is no other
        .groupBy("user_id", "item_index")
        .agg(
            F.max_by("rating", "event_time").cast("float").alias("rating"),
            F.max("event_time").alias("event_time"),
        )
    )
    event = F.struct("event_time", "item_index", "rating")
    of_users = latest.groupBy("user_id").agg(F.sort_array(F.collect_list(event)).alias("events"))
    return _as_lists(of_users.join(users.select("user_id", "user_index"), on="user_id"))


def extended(earlier: DataFrame, later: DataFrame, n_earlier: int) -> DataFrame:
    """Timelines of `n_earlier` users, and of later days of theirs and of new users, as one.

    What is `later` is expected to be little: every worker gets it whole, and earlier rows stay
    where they lie.
    """
    added = later.select("user_index", _events().alias("added"))
    again = F.transform("added", lambda event: event["item_index"])
    kept = F.filter("events", lambda event: ~F.array_contains(again, event["item_index"]))
    grown = F.when(F.col("added").isNull(), F.col("events")).otherwise(F.concat(kept, "added"))
    of_earlier = (
        earlier.select("user_index", _events().alias("events"))
        .join(F.broadcast(added), on="user_index", how="left")
        .select("user_index", grown.alias("events"))
    )
    of_new = later.where(F.col("user_index") > n_earlier)
    return _as_lists(of_earlier).unionByName(of_new)


def with_profiles(timelines: DataFrame, users: DataFrame, items: DataFrame) -> DataFrame:
    """A row a user of the profiles: user_id, user_index, is_new, is_cold and `events`.

    An event is an `EVENT`. New items arrived last, and so have the greatest numbers.
    """
    existing = items.agg(F.count_if(~F.col("is_new")).cast("int").alias("n_existing"))
    numbered = F.transform(
        "events",
        lambda event, place: F.struct(
            (place + 1).alias("position"),
            event["event_time"].alias("event_time"),
            event["item_index"].alias("item_index"),
            (event["item_index"] > F.col("n_existing")).alias("is_new"),
            event["rating"].alias("rating"),
        ),
    )
    return (
        timelines.select("user_index", _events().alias("events"))
        .crossJoin(F.broadcast(existing))
        .join(users.select("user_id", "user_index", "is_new", "is_cold"), on="user_index")
        .select("user_id", "user_index", "is_new", "is_cold", numbered.alias("events"))
    )


def _events() -> Column:
    return F.arrays_zip("event_times", "item_indices", "ratings").cast(_EVENTS)


def _as_lists(frame: DataFrame) -> DataFrame:
    return frame.select(
        "user_index",
        _field("item_index").alias("item_indices"),
        _field("rating").alias("ratings"),
        _field("event_time").alias("event_times"),
    ).select(*TIMELINES.column_names)


def _field(name: str) -> Column:
    return F.transform("events", lambda event: event[name])
