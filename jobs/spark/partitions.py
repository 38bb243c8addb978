"""Spark frames in and out of the lake: whole partitions that keep their table's contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.spark.literal_paths import literal
from schemas.lake import Lake
from schemas.projections.spark import check_spark, spark_schema
from schemas.tables.columns import Table

# Training deals row groups out to its processes, and holds a few at a time.
ROW_GROUP_BYTES = 8 << 20


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """Files that each have a range of a column that runs from 1 to `last`.

    Spark finds ranges by computing the whole frame once before it writes it. For such a column they
    are known, and the same on any cluster.
    """

    column: str
    last: int
    files: int

    def sorted(self, frame: DataFrame, *by: str) -> DataFrame:
        """The frame in `files` files of consecutive ranges of the column, each sorted by `by`."""
        place = F.col(self.column).cast("bigint") - 1
        file = F.floor(place * self.files / max(self.last, 1)).cast("int")
        return frame.repartitionById(self.files, file).sortWithinPartitions(*by)


def write_partition(
    lake: Lake,
    table: Table,
    ds: date,
    frame: DataFrame,
    *,
    ranges: Ranges | None = None,
    fingerprint: str | None = None,
) -> int:
    """Replace a partition with the frame's rows, sorted by the table's key; how many they are.

    With `ranges` each file is sorted by itself.
    """
    check_spark(table, frame, f"the new {table.name}")
    if ranges is not None:
        ordered = ranges.sorted(frame, *table.key)
    else:
        ordered = frame.orderBy(*table.key) if table.key else frame
    writer = ordered.write.mode("overwrite").option("parquet.block.size", ROW_GROUP_BYTES)
    with lake.replacing(table.name, ds) as draft:
        writer.parquet(str(draft.path))
        draft.rows = parquet_rows(draft.path)
        draft.fingerprint = fingerprint
    return draft.rows


def write_days(
    lake: Lake, table: Table, frame: DataFrame, fingerprints: Mapping[date, str | None]
) -> None:
    """Replace the partition of each day of `fingerprints` with the rows whose `ds` it is.

    All are written in one go, and come into force one by one, in the order of days.
    """
    check_spark(table, frame.drop("ds"), f"the new {table.name}")
    with lake.scratch(table.name) as folder:
        rows = frame.where(F.col("ds").isin(sorted(fingerprints))).hint("rebalance", "ds")
        order = table.key or table.column_names
        ordered = rows.select("ds", *table.column_names).sortWithinPartitions("ds", *order)
        writer = ordered.write.partitionBy("ds").option("parquet.block.size", ROW_GROUP_BYTES)
        writer.parquet(str(folder / "days"))
        for day in sorted(fingerprints):
            with lake.replacing(table.name, day) as draft:
                for file in (folder / "days" / f"ds={day}").glob("*"):  # and their checksums
                    file.rename(draft.path / file.name)
                draft.rows = parquet_rows(draft.path)
                draft.fingerprint = fingerprints[day]


def read_partition(spark: SparkSession, lake: Lake, table: Table, ds: date) -> DataFrame:
    """The frame of one complete partition; a missing one is a `UserError`."""
    partition = lake.require(table.name, ds)
    return spark.read.schema(spark_schema(table)).parquet(literal(partition))


def read_history(spark: SparkSession, lake: Lake, table: Table, *, until: date) -> DataFrame:
    """The frame of all complete partitions up to and including `until`: nothing later is opened."""
    days = lake.days(table.name, until=until)
    return read_days(spark, lake, table, [day for day, held in days.items() if held.rows])


def read_days(spark: SparkSession, lake: Lake, table: Table, days: Sequence[date]) -> DataFrame:
    """The frame of the partitions of these days."""
    paths = [literal(lake.version(table.name, day)) for day in days]
    schema = spark_schema(table)
    return spark.read.schema(schema).parquet(*paths) if paths else spark.createDataFrame([], schema)


@contextmanager
def cached(frame: DataFrame) -> Iterator[DataFrame]:
    """Keep the frame's rows for the block. A server outlives the step, so they must be let go.

    For frames read from the lake only: Spark finds cached rows again by the paths they were read
    from, whichever session asks, and only the lake's versions never change under their path.
    """
    frame.persist()
    try:
        yield frame
    finally:
        frame.unpersist()


@contextmanager
def materialised(lake: Lake, name: str, frame: DataFrame) -> Iterator[DataFrame]:
    """The frame's rows as files on the lake's disk, for the block: a frame of any size, made once.

    One run at a time has the files of a name; another one waits.
    """
    with lake.scratch(name) as folder:
        frame.write.parquet(str(folder / "rows"))
        yield frame.sparkSession.read.schema(frame.schema).parquet(literal(folder / "rows"))


def parquet_rows(folder: Path) -> int:
    """Rows in a folder's Parquet files, from their footers."""
    return sum(pq.read_metadata(path).num_rows for path in folder.glob("*.parquet"))
