"""The tables of a ds compared with those of the previous ds, for the checks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.spark.partitions import read_days
from jobs.spark.rows import collected
from schemas.lake import Lake
from schemas.projections.spark import spark_schema
from schemas.tables.columns import Table
from schemas.tables.drift import BOUNDS, DRIFT, LONGEST_GAP_DAYS

Counts = dict[Any, int]
# What of a table is counted by itself.
_PARTS = {"episodes": ("split", "scenario"), "interactions": ("rating",)}


def measure(spark: SparkSession, lake: Lake, checked: Sequence[Table], ds: date) -> DataFrame:
    """The rows of `DRIFT`; none for a table without a partition in the days before `ds`."""
    rows = [row for table in checked for row in _rows(spark, lake, table, ds)]
    return spark.createDataFrame(rows, spark_schema(DRIFT))


def _rows(
    spark: SparkSession, lake: Lake, table: Table, ds: date
) -> Iterator[tuple[str, date, int, int, int, int, float | None]]:
    held = lake.days(table.name, until=ds)
    earliest = ds - timedelta(days=LONGEST_GAP_DAYS)
    previous = max((day for day in held if earliest <= day < ds), default=None)
    if table.name not in BOUNDS or ds not in held or previous is None:
        return
    columns = _PARTS.get(table.name)
    if columns is None:
        yield _row(table, table.name, previous, held[ds].rows, held[previous].rows, None)
        return
    now, before = (_counts(spark, lake, table, columns, day) for day in (ds, previous))
    if table.name == "interactions":
        rows, rows_before = sum(now.values()), sum(before.values())
        shift = _shift(now, before) if rows and rows_before else None
        yield _row(table, f"{table.name} of the day", previous, rows, rows_before, shift)
        return
    for part in sorted(now.keys() | before.keys()):
        name = f"{table.name}: {' '.join(part)}"
        yield _row(table, name, previous, now.get(part, 0), before.get(part, 0), None)


def _row(
    table: Table, what: str, previous: date, rows: int, rows_before: int, shift: float | None
) -> tuple[str, date, int, int, int, int, float | None]:
    least, most = BOUNDS[table.name]
    return (
        what,
        previous,
        rows,
        rows_before,
        math.floor(least * rows_before),
        math.ceil(most * rows_before),
        shift,
    )


def _counts(
    spark: SparkSession, lake: Lake, table: Table, columns: Sequence[str], day: date
) -> Counts:
    found = read_days(spark, lake, table, [day]).groupBy(*columns).agg(F.count("*").alias("n"))
    return {tuple(row[name] for name in columns): row["n"] for row in collected(found)}


def _shift(now: Counts, before: Counts) -> float:
    """The total variation distance of two distributions, each given by its counts."""
    n_now, n_before = sum(now.values()), sum(before.values())
    shares = (
        abs(now.get(level, 0) / n_now - before.get(level, 0) / n_before)
        for level in now.keys() | before.keys()
    )
    return sum(shares) / 2
