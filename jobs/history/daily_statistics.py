"""Daily statistics of users and items, beside the interactions: the partial aggregates of profiles.

The statistics of a day carry the fingerprint of the interactions that they were made of. A run that
was killed in between, or a day that late events reached, is found by it and made again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.spark.partitions import read_days, read_history, write_days
from jobs.transforms import daily_statistics as T
from schemas.errors import PassingError
from schemas.lake import Lake
from schemas.pipeline import INGEST
from schemas.run import journal
from schemas.tables.columns import Table
from schemas.tables.history import ITEM_DAYS, USER_DAYS

_MADE = {USER_DAYS.name: T.user_daily_statistics, ITEM_DAYS.name: T.item_daily_statistics}


def bring_up_to_date(
    spark: SparkSession, lake: Lake, interactions: Table, until: date, record: journal.Step
) -> None:
    """Make the statistics of each day up to `until` whose interactions have changed."""
    for table in (USER_DAYS, ITEM_DAYS):
        outdated = stale(lake, table, until)
        if outdated:
            rows = read_days(spark, lake, interactions, sorted(outdated))
            by_day = rows.withColumn("ds", F.to_date("event_time"))
            write_days(lake, table, _MADE[table.name](by_day), outdated)
            record.progress(f"{len(outdated)} days of {table.name}")


def read(spark: SparkSession, lake: Lake, table: Table, until: date) -> DataFrame:
    """The statistics of all days up to `until`; a `PassingError` if those of a day are outdated.

    Another run may be between writing a day's interactions and its statistics.
    """
    if outdated := stale(lake, table, until):
        days = ", ".join(map(str, sorted(outdated)[:3]))
        raise PassingError(
            f"{table.name} lacks or has outdated rows of {len(outdated)} days ({days}), expected "
            f"those of the interactions in force; run the step {INGEST.name} for ds {until} again: "
            f"{INGEST.command(until)}"
        )
    return read_history(spark, lake, table, until=until)


def stale(lake: Lake, table: Table, until: date) -> Mapping[date, str | None]:
    """The days whose statistics are outdated, and the fingerprints that they should carry."""
    made_of = {day: m.fingerprint for day, m in lake.days("interactions", until=until).items()}
    held = lake.days(table.name, until=until)
    return {
        day: fingerprint
        for day, fingerprint in made_of.items()
        if day not in held or held[day].fingerprint != fingerprint
    }
