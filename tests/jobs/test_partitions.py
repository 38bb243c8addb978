"""Partitions are written in small row groups, the rows of a split together."""

from __future__ import annotations

from datetime import date

import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.spark import partitions
from meta_model.data.episodes import Episodes
from schemas.dataset import spec as dataset_spec
from schemas.lake import Lake
from schemas.projections.spark import spark_schema
from schemas.run.settings import Settings
from schemas.tables.lake import SPLITS, episodes

SPEC = dataset_spec.load(dataset_spec.BUNDLED / "ml-100k.toml")
ROWS = 4000


TABLE, DS = episodes(SPEC), date(1998, 3, 31)
RANGES = partitions.Ranges(column="user_index", last=ROWS, files=3)


def _episodes(spark: SparkSession) -> DataFrame:
    """A task a user, of each split one in four."""
    items = F.transform(F.sequence(F.lit(1), F.lit(10)), lambda i: i * F.col("n") % 97 + 1)
    ratings = F.transform(items, lambda item: (item % 5 + 1).cast("float"))
    columns = {
        "task_id": F.concat(F.lit("u"), F.col("n").cast("string")),
        "user_index": F.col("n").cast("int"),
        "scenario": F.lit("warm"),
        "split": F.element_at(F.array(*map(F.lit, SPLITS)), (F.col("n") % 4 + 1).cast("int")),
        "earlier_that_day": F.lit(0),
        "support_items": items.cast("array<int>"),
        "support_ratings": ratings,
        "support_days": items.cast("array<int>"),
        "query_items": items.cast("array<int>"),
        "query_ratings": ratings,
        "query_days": items.cast("array<int>"),
    }
    frame = spark.range(1, ROWS + 1).withColumnRenamed("id", "n")
    frame = frame.select(*(column.alias(name) for name, column in columns.items()))
    return spark.createDataFrame(frame.toArrow(), spark_schema(TABLE))


@pytest.mark.parametrize("ranges", [None, RANGES], ids=["one order", "ranges"])
def test_readers_of_a_split_skip_the_others_row_groups(
    settings: Settings,
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    ranges: partitions.Ranges | None,
) -> None:
    monkeypatch.setattr(partitions, "ROW_GROUP_BYTES", 16 << 10)
    lake, frame = Lake(root=settings.lake), _episodes(spark)
    assert partitions.write_partition(lake, TABLE, DS, frame, ranges=ranges) == ROWS
    files = tuple(sorted(lake.version(TABLE.name, DS).glob("*.parquet")))
    groups = sum(pq.read_metadata(file).num_row_groups for file in files)
    train = Episodes(files=files).split("train")
    assert groups > 8
    assert len(train.row_groups) < groups / 2
    assert train.n_tasks == ROWS / 4


def test_files_have_ranges_of_like_many(settings: Settings, spark: SparkSession) -> None:
    lake = Lake(root=settings.lake)
    partitions.write_partition(lake, TABLE, DS, _episodes(spark), ranges=RANGES)
    found = []
    for file in sorted(lake.version(TABLE.name, DS).glob("*.parquet")):
        rows = pq.read_table(file, columns=["user_index", *TABLE.key]).to_pylist()
        keys = [tuple(row[name] for name in TABLE.key) for row in rows]
        assert keys == sorted(keys)
        users = [row["user_index"] for row in rows]
        found.append((min(users), max(users), len(users)))
    assert found == [(1, 1334, 1334), (1335, 2667, 1333), (2668, 4000, 1333)]
