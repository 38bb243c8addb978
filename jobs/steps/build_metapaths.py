"""Build meta-paths: the neighbours of every item over the data set's network, at `ds`."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.history import numbering
from jobs.history.holdout import lake_holdout
from jobs.spark.partitions import cached, read_history, read_partition, write_partition
from jobs.spark.rows import collected
from jobs.spark.session import spark_session
from jobs.transforms import network as T
from schemas.dataset import choice as dataset_choice
from schemas.dataset.network import Network
from schemas.dataset.spec import DatasetSpec
from schemas.lake import Lake
from schemas.projections.spark import spark_schema
from schemas.run import journal
from schemas.run.settings import Settings
from schemas.tables import lake as tables
from schemas.tables.columns import Table


def run(settings: Settings, ds: date, record: journal.Step) -> None:
    """Write the neighbours of `ds`; an empty partition if the dataset spec has no network."""
    lake = Lake(root=settings.lake)
    spec = dataset_choice.of_lake(lake.root)
    table = tables.metapath_neighbours(spec)
    with spark_session(settings) as spark:
        if spec.network is None:
            nothing = spark.createDataFrame([], spark_schema(table))
            record.rows_in = record.rows_out = write_partition(lake, table, ds, nothing)
            record.progress("the dataset spec has no network")
            return
        profiles = _read(spark, lake, tables.item_profiles(spec), ds)
        with cached(_edges(spark, lake, spec, spec.network, profiles, ds)) as edges:
            record.rows_in = edges.count()
            found = T.neighbours(edges, profiles, spec.network, table)
            record.rows_out = write_partition(lake, table, ds, found)
        size = F.size("neighbours")
        counts = (
            _read(spark, lake, table, ds)
            .groupBy("metapath")
            .agg(F.count(F.when(size > 0, 1)).alias("items"), F.avg(size).alias("mean"))
            .orderBy("metapath")
        )
        of_paths = collected(counts)
    for row in of_paths:
        record.progress(
            f"{row['metapath']}: {row['items']:,} items with neighbours, {row['mean']:.1f} an item"
        )


def _edges(
    spark: SparkSession,
    lake: Lake,
    spec: DatasetSpec,
    network: Network,
    profiles: DataFrame,
    ds: date,
) -> DataFrame:
    interactions = read_history(spark, lake, tables.interactions(spec), until=ds)
    numbering.require_same(lake, spec, ds)
    items = _read(spark, lake, tables.items(spec), ds)
    linked = _read(spark, lake, tables.ITEM_LINKS, ds)
    rated = T.training_links(interactions, lake_holdout(lake, spec, ds))
    return T.edges(network, rated, items, linked, profiles)


def _read(spark: SparkSession, lake: Lake, table: Table, ds: date) -> DataFrame:
    return read_partition(spark, lake, table, ds)
