"""Build profiles: one row for every user and item with an interaction up to `ds`."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.partitions import cached, read_history, read_partition, write_partition
from jobs.session import spark_session
from jobs.transforms import profiles as T
from schemas import dataset_choice, journal, tables
from schemas.dataset_spec import DatasetSpec
from schemas.errors import UserError
from schemas.holdout import Holdout, holdout
from schemas.lake import Lake
from schemas.settings import Settings


def run(settings: Settings, ds: date, record: journal.Step) -> None:
    lake = Lake(root=settings.lake)
    spec = dataset_choice.of_lake(lake.root)
    held_out = lake_holdout(lake, spec, ds)
    record.progress(
        f"new users since {held_out.new_users_from:%Y-%m-%d}, "
        f"new items since {held_out.new_items_from:%Y-%m-%d}"
    )
    with (
        spark_session(settings) as spark,
        cached(read_history(spark, lake, tables.interactions(spec), until=ds)) as interactions,
    ):
        record.rows_in = interactions.count()
        record.rows_out = _write_profiles(spark, interactions, lake, spec, held_out, ds, record)


def _write_profiles(
    spark: SparkSession,
    interactions: DataFrame,
    lake: Lake,
    spec: DatasetSpec,
    held_out: Holdout,
    ds: date,
    record: journal.Step,
) -> int:
    """Write the vocabulary and both profiles; returns the profiles' rows."""
    users = read_partition(spark, lake, tables.users(spec), ds, made_by="ingest")
    items = read_partition(spark, lake, tables.items(spec), ds, made_by="ingest")
    cold_max = spec.cold_start.cold_user_max_interactions
    active_users = T.user_activity(interactions, held_out, cold_max)
    active_items = T.item_activity(interactions, active_users, held_out)
    users = T.dense_index(active_users, "user_id", "user_index").join(users, "user_id", "inner")
    items = T.dense_index(active_items, "item_id", "item_index").join(items, "item_id", "inner")
    with cached(users) as users, cached(items) as items:
        of_users = T.vocabulary(users.where(~F.col("is_new")), "user", spec.user_features)
        of_items = T.vocabulary(items.where(~F.col("is_new")), "item", spec.items.features)
        write_partition(lake, tables.VOCABULARY, ds, of_users.unionByName(of_items))
        vocabulary = read_partition(spark, lake, tables.VOCABULARY, ds, made_by="build-profiles")
        written = 0
        for frame, table, prefix, features in (
            (users, tables.user_profiles(spec), "user", spec.user_features),
            (items, tables.item_profiles(spec), "item", spec.items.features),
        ):
            profiles = T.with_feature_indices(frame, vocabulary, prefix, features, table)
            rows = write_partition(lake, table, ds, profiles)
            record.progress(f"{rows:,} {table.name}")
            written += rows
    return written


def lake_holdout(lake: Lake, spec: DatasetSpec, ds: date) -> Holdout:
    """The held-out days of the interactions that the lake has up to `ds`."""
    days = lake.days("interactions", until=ds)
    with_rows = [day for day, manifest in days.items() if manifest.rows]
    if not with_rows:
        raise UserError(f"the lake has no interactions up to ds {ds}; run the step ingest first.")
    return holdout(with_rows[0], with_rows[-1], spec.cold_start)
