"""Build profiles: one row for every user and item with an interaction up to `ds`."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.history import daily_statistics, numbering
from jobs.history.holdout import lake_holdout
from jobs.spark.partitions import cached, read_partition, write_partition
from jobs.spark.rows import only_row
from jobs.spark.session import spark_session
from jobs.transforms import profiles as T
from jobs.transforms.daily_statistics import item_statistics, user_statistics
from jobs.transforms.profiles import by_arrival
from schemas import utc
from schemas.dataset import choice as dataset_choice
from schemas.dataset.holdout import Holdout
from schemas.dataset.spec import DatasetSpec
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import INGEST
from schemas.run import journal
from schemas.run.settings import Settings
from schemas.tables import lake as tables
from schemas.tables.history import ITEM_DAYS, USER_DAYS


def run(settings: Settings, ds: date, record: journal.Step) -> None:
    """Write the profiles and the vocabulary of `ds`; what is new follows from the held-out days."""
    lake = Lake(root=settings.lake)
    spec = dataset_choice.of_lake(lake.root)
    held_out = lake_holdout(lake, spec, ds)
    record.progress(
        f"new users since {utc.day_of(held_out.new_users_from)}, "
        f"new items since {utc.day_of(held_out.new_items_from)}"
    )
    record.rows_in = lake.rows("interactions", until=ds)
    made_of = numbering.of_interactions(lake, ds)
    with spark_session(settings) as spark:
        users, items = _active(spark, lake, spec, held_out, ds)
        with cached(users) as users, cached(items) as items:
            _require_all(users, "user", ds)
            _require_all(items, "item", ds)
            record.rows_out = _write_profiles(spark, users, items, lake, spec, ds, record, made_of)


def _active(
    spark: SparkSession, lake: Lake, spec: DatasetSpec, held_out: Holdout, ds: date
) -> tuple[DataFrame, DataFrame]:
    """Users and items with an interaction up to ds, with statistics, indices and attributes."""
    user_days = daily_statistics.read(spark, lake, USER_DAYS, ds)
    item_days = daily_statistics.read(spark, lake, ITEM_DAYS, ds)
    cold_max = spec.cold_start.cold_user_max_interactions
    users = by_arrival(user_statistics(user_days, held_out, cold_max), "user_id", "user_index")
    items = by_arrival(item_statistics(item_days, held_out, ds), "item_id", "item_index")
    known_users, known_items = (
        read_partition(spark, lake, table, ds) for table in (tables.users(spec), tables.items(spec))
    )
    return users.join(known_users, "user_id"), items.join(known_items, "item_id")


def _require_all(known: DataFrame, entity: str, ds: date) -> None:
    """A `UserError` if a number is missing: of somebody whom the table of `ds` does not know."""
    row = only_row(known.agg(F.count("*").alias("n"), F.max(f"{entity}_index").alias("last")))
    if row["n"] != (row["last"] or 0):
        raise UserError(
            f"{entity}s of ds {ds} lacks some of those with interactions up to that ds, expected "
            f"all of them. Another run has written interactions since: run the step {INGEST.name} "
            f"again for that ds: {INGEST.command(ds)}"
        )


def _write_profiles(
    spark: SparkSession,
    users: DataFrame,
    items: DataFrame,
    lake: Lake,
    spec: DatasetSpec,
    ds: date,
    record: journal.Step,
    made_of: str,
) -> int:
    """Write the vocabulary and both profiles; returns the profiles' rows."""
    of_users = T.vocabulary(users.where(~F.col("is_new")), "user", spec.user_features)
    of_items = T.vocabulary(items.where(~F.col("is_new")), "item", spec.items.features)
    write_partition(lake, tables.VOCABULARY, ds, of_users.unionByName(of_items))
    vocabulary = read_partition(spark, lake, tables.VOCABULARY, ds)
    written = 0
    for frame, table, prefix, features in (
        (users, tables.user_profiles(spec), "user", spec.user_features),
        (items, tables.item_profiles(spec), "item", spec.items.features),
    ):
        profiles = T.with_feature_indices(frame, vocabulary, prefix, features, table)
        rows = write_partition(lake, table, ds, profiles, fingerprint=made_of)
        record.progress(f"{rows:,} {table.name}")
        written += rows
    return written
