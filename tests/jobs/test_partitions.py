"""Partitions are written in small row groups, the rows of a split together."""

from __future__ import annotations

from datetime import date

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs import partitions
from meta_model.data.episodes import Episodes
from schemas import dataset_spec
from schemas.lake import Lake
from schemas.settings import Settings
from schemas.spark import spark_schema
from schemas.tables import SPLITS, episodes

SPEC = dataset_spec.load(dataset_spec.BUNDLED / "ml-100k.toml")
ROWS = 4000


def test_readers_of_a_split_skip_the_others_row_groups(
    settings: Settings, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "ROW_GROUP_BYTES", 16 << 10)
    table, ds, lake = episodes(SPEC), date(1998, 3, 31), Lake(root=settings.lake)
    items = F.transform(F.sequence(F.lit(1), F.lit(10)), lambda i: i * F.col("n") % 97 + 1)
    ratings = F.transform(items, lambda item: (item % 5 + 1).cast("float"))
    columns = {
        "task_id": F.concat(F.lit("u"), F.col("n").cast("string")),
        "user_index": F.col("n").cast("int"),
        "scenario": F.lit("warm"),
        "split": F.element_at(F.array(*map(F.lit, SPLITS)), (F.col("n") % 4 + 1).cast("int")),
        "support_items": items.cast("array<int>"),
        "support_ratings": ratings,
        "query_items": items.cast("array<int>"),
        "query_ratings": ratings,
    }
    frame = spark.range(1, ROWS + 1).withColumnRenamed("id", "n")
    frame = frame.select(*(column.alias(name) for name, column in columns.items()))
    frame = spark.createDataFrame(frame.toArrow(), spark_schema(table))
    assert partitions.write_partition(lake, table, ds, frame) == ROWS
    files = tuple(sorted(lake.version(table.name, ds).glob("*.parquet")))
    groups = sum(pq.read_metadata(file).num_row_groups for file in files)
    train = Episodes(files=files).split("train")
    assert groups > 8
    assert len(train.row_groups) < groups / 2
    assert train.n_tasks == ROWS / 4
