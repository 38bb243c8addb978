"""Support/query episodes: each user's interactions, in order of time, cut into tasks.

Every task's support lies strictly before its query in the user's own order, so that a task asks
what serving asks: given what the user did so far, what next? Four kinds of rows:

- `train`: windows of an existing user's past before the held-out days, on existing items;
- `validation`: the first window of one existing user in ten, whom training never sees;
- `test`: per scenario, a support and what came next on the scenario's items as query;
- `serve`: all a cold user of today did as support, and no query.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.transforms.profiles import is_validation_user
from schemas.columns import Table
from schemas.dataset_spec import ColdStart
from schemas.holdout import Holdout

_TASK = ("task_id", "user_index", "scenario", "split")


def history(interactions: DataFrame, users: DataFrame, items: DataFrame) -> DataFrame:
    """Interactions in index space, each user's numbered from 1 by time in `position`.

    Of repeated interactions of a user with an item only the last is kept, so that an item is
    never on both sides of an episode.
    """
    latest = Window.partitionBy("user_id", "item_id").orderBy(F.desc("event_time"))
    timeline = Window.partitionBy("user_index").orderBy("event_time", "item_id")
    user_columns = users.select(
        "user_id", "user_index", "is_cold", F.col("is_new").alias("user_is_new")
    )
    item_columns = items.select("item_id", "item_index", F.col("is_new").alias("item_is_new"))
    return (
        interactions.withColumn("_repeat", F.row_number().over(latest))
        .where(F.col("_repeat") == 1)
        .join(user_columns, on="user_id", how="inner")
        .join(item_columns, on="item_id", how="inner")
        .select(
            "user_id",
            "user_index",
            "user_is_new",
            "is_cold",
            "item_index",
            "item_is_new",
            "rating",
            "event_time",
            F.row_number().over(timeline).alias("position"),
        )
    )


def training_episodes(
    history: DataFrame, held_out: Holdout, cold_start: ColdStart, table: Table
) -> DataFrame:
    """The train and validation rows: windows over each existing user's past, first things first.

    A window holds up to `max_support + query_size` interactions; its last `query_size` are the
    query, or fewer where at least `min_support` must remain to adapt on. The first window is what
    a cold user looks like: validation is on first windows alone.
    """
    width = cold_start.max_support + cold_start.query_size
    in_order = Window.partitionBy("user_index").orderBy("position")
    of_window = Window.partitionBy("user_index", "window")
    query_size = F.least(F.lit(cold_start.query_size), F.col("size") - cold_start.min_support)
    split = F.when(is_validation_user(), "validation").otherwise("train")
    labelled = (
        history.where(~F.col("user_is_new") & ~F.col("item_is_new"))
        .where(F.col("event_time") < F.lit(held_out.new_users_from))
        .withColumn("place", F.row_number().over(in_order) - 1)
        .withColumn("window", F.floor(F.col("place") / width).cast("int"))
        .withColumn("split", split)
        .where(F.col("window") < cold_start.max_episodes_per_user)
        .where((F.col("split") == "train") | (F.col("window") == 0))
        .withColumn("size", F.count("*").over(of_window))
        .where(F.col("size") >= cold_start.min_support + cold_start.min_query)
        .withColumn("is_query", F.col("place") % width >= F.col("size") - query_size)
        .withColumn("scenario", F.lit("warm"))
        .withColumn("task_id", F.concat_ws("/", "user_id", "scenario", "split", "window"))
    )
    return _as_rows(labelled, table)


def test_episodes(
    history: DataFrame, held_out: Holdout, cold_start: ColdStart, table: Table
) -> DataFrame:
    """The test rows: for each user and scenario, what comes next after the support.

    A new user's support is the beginning: up to `max_support` interactions, less where the query
    needs the rest. An existing user's is what came right before the held-out interactions. The
    query is the next `query_size` interactions on the scenario's items.
    """
    of_user = Window.partitionBy("user_index")
    beginning = F.greatest(
        F.least(F.count("*").over(of_user) - cold_start.query_size, F.lit(cold_start.max_support)),
        F.lit(cold_start.min_support),
    )
    first = F.when(F.col("user_is_new"), beginning).otherwise(cold_start.min_support)
    is_held_out = (
        F.col("user_is_new")
        | F.col("item_is_new")
        | (F.col("event_time") >= F.lit(held_out.new_users_from))
    )
    in_order = Window.partitionBy("user_index", "scenario").orderBy("position")
    queries = (
        history.withColumn("_first", first)
        .where(F.col("position") > F.col("_first"))
        .where(is_held_out & (F.col("user_is_new") | ~is_validation_user()))
        .withColumn("scenario", _scenario())
        .withColumn("_place", F.row_number().over(in_order))
        .where(F.col("_place") <= cold_start.query_size)
        .withColumn("is_query", F.lit(True))
    )
    starts = queries.groupBy("user_index", "scenario").agg(F.min("position").alias("_start"))
    support = (
        history.join(starts, on="user_index", how="inner")
        .where(F.col("position") < F.col("_start"))
        .where(F.col("position") >= F.col("_start") - cold_start.max_support)
        .withColumn("is_query", F.lit(False))
    )
    columns = ["user_id", "user_index", "scenario", "position", "item_index", "rating", "is_query"]
    labelled = (
        queries.select(*columns)
        .unionByName(support.select(*columns))
        .withColumn("split", F.lit("test"))
        .withColumn("task_id", F.concat_ws("/", "user_id", "scenario", "split"))
    )
    rows = _as_rows(labelled, table)
    return rows.where(F.size("query_items") >= cold_start.min_query)


def serve_episodes(history: DataFrame, table: Table) -> DataFrame:
    """The serve rows: one for every cold user, however few interactions there are."""
    labelled = (
        history.where("is_cold")
        .withColumn("is_query", F.lit(False))
        .withColumn("scenario", F.lit("user_cold"))
        .withColumn("split", F.lit("serve"))
        .withColumn("task_id", F.concat_ws("/", "user_id", "scenario", "split"))
    )
    return _as_rows(labelled, table)


def _scenario() -> Column:
    new_user = F.when(F.col("item_is_new"), "both_cold").otherwise("user_cold")
    existing_user = F.when(F.col("item_is_new"), "item_cold").otherwise("warm")
    return F.when(F.col("user_is_new"), new_user).otherwise(existing_user)


def _as_rows(labelled: DataFrame, table: Table) -> DataFrame:
    """One row a task from one row an interaction: lists in the order of `position`."""
    entry = F.struct("position", "item_index", F.col("rating").cast("float").alias("rating"))
    support = F.sort_array(F.collect_list(F.when(~F.col("is_query"), entry)))
    query = F.sort_array(F.collect_list(F.when(F.col("is_query"), entry)))
    return (
        labelled.groupBy(*_TASK)
        .agg(support.alias("support"), query.alias("query"))
        .select(
            *_TASK,
            F.col("support.item_index").alias("support_items"),
            F.col("support.rating").alias("support_ratings"),
            F.col("query.item_index").alias("query_items"),
            F.col("query.rating").alias("query_ratings"),
        )
        .select(*table.column_names)
    )
