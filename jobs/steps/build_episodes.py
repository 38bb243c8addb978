"""Build episodes: the tasks that a learner trains on, is judged on, and serves at `ds`."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.history.holdout import lake_holdout
from jobs.history.user_histories import ranges_of_users, user_histories
from jobs.spark.partitions import read_partition, write_partition
from jobs.spark.rows import Row, collected
from jobs.spark.session import spark_session
from jobs.transforms import episodes as T
from jobs.transforms.negatives import with_negatives
from jobs.transforms.ratings import all_equal
from jobs.transforms.user_histories import with_profiles
from schemas import utc
from schemas.dataset import choice as dataset_choice
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings
from schemas.tables import lake as tables


def run(settings: Settings, ds: date, record: journal.Step) -> None:
    """Write the partition of `ds` of episodes and of user histories."""
    lake = Lake(root=settings.lake)
    spec = dataset_choice.of_lake(lake.root)
    held_out = lake_holdout(lake, spec, ds)
    table, cold_start = tables.episodes(spec), spec.cold_start
    with spark_session(settings) as spark:
        users, items = (
            read_partition(spark, lake, profiles, ds)
            for profiles in (tables.user_profiles(spec), tables.item_profiles(spec))
        )
        record.rows_in = lake.rows("interactions", until=ds)
        of_users = user_histories(spark, lake, spec, ds, users, items, record)
        of_users = with_profiles(of_users, users, items)
        episodes = T.episodes(of_users, held_out, cold_start, table)
        if spec.is_implicit:
            episodes = with_negatives(episodes, of_users, items, spec.negatives, table)
        ranges = ranges_of_users(lake, spec, ds)
        record.rows_out = write_partition(lake, table, ds, episodes, ranges=ranges)
        written = read_partition(spark, lake, table, ds)
        counts = _by_scenario(written)
    for row in counts:
        record.progress(f"{row['split']:<10} {row['scenario']:<9} {row['count']:>9,} tasks")
    train = [row for row in counts if row["split"] == "train"]
    if not train:
        raise UserError(
            "no existing user has the "
            f"{cold_start.min_support + cold_start.min_query} interactions before "
            f"{utc.day_of(held_out.new_users_from)} that a training task needs; choose a later ds, "
            "or lower min_support and min_query in the dataset spec."
        )
    lowest, highest = min(row["lowest"] for row in train), max(row["highest"] for row in train)
    if not spec.is_implicit and (note := all_equal(lowest, highest)):
        record.facts["warnings"] = [note]
        record.progress(note)


def _by_scenario(episodes: DataFrame) -> list[Row]:
    """How many tasks there are of each scenario and split, and their lowest and highest rating."""
    of_task = ("support_ratings", "query_ratings")
    return collected(
        episodes.groupBy("split", "scenario")
        .agg(
            F.count("*").alias("count"),
            F.min(F.least(*map(F.array_min, of_task))).alias("lowest"),
            F.max(F.greatest(*map(F.array_max, of_task))).alias("highest"),
        )
        .orderBy("split", "scenario")
    )
