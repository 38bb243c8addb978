"""Counts of rows by file, however Spark divides the reading."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.sources.accounts.tally import Tally
from jobs.sources.files.folder import NUMBER, Staged
from jobs.sources.files.paths import Part


@pytest.mark.parametrize("number", [1, 7, 11, 23])
def test_a_file_that_many_tasks_read_keeps_its_number(
    spark: SparkSession, tmp_path: Path, number: int
) -> None:
    """Spark averages the numbers of bins that it joins: 7 can come out as 6.999."""
    tally = Tally()
    part = Part(path=tmp_path / "users.csv", day=None)
    tally.expects([Staged(part=part, number=number, link="", name="users.csv")])
    # Tasks of unlike size, as the ends of files are.
    sizes = F.explode(F.sequence(F.lit(1), (F.col("id") * 7919) % 977 + 1))
    rows = spark.range(0, 60, numPartitions=30).select(F.lit(number).alias(NUMBER), sizes)
    expected = rows.count()
    tally.reading(rows, F.lit(True)).write.parquet(str(tmp_path / "read"))
    assert tally.counts() == {"users.csv": {"read": expected}}
