"""Ingest: the source's files become the lake's interactions by day, users, items and quarantine.

Each day of the source up to `ds` is compared with the lake's partition of that day by a
fingerprint of its rows. Only days that differ are written: a new day, a day that late events
reached, a day that lost rows. A night on an unchanged past therefore writes one day.

Everything is read and checked before anything is written: a source that fails leaves the lake as
it was.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs import entities, links, quarantine
from jobs.partitions import parquet_rows, write_partition
from jobs.session import spark_session
from jobs.source import altered, read_file
from jobs.transforms.source import (
    is_ahead,
    parse_interactions,
    valid_interactions,
    with_reasons,
)
from schemas import dataset_choice, journal, tables
from schemas.columns import Table
from schemas.dataset_spec import DatasetSpec, Interactions
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.settings import Settings
from schemas.spark import check_spark


def run(settings: Settings, ds: date, record: journal.Step) -> None:
    lake = Lake(root=settings.lake)
    spec_file = dataset_choice.find(settings.source)
    spec = dataset_choice.bind(lake.root, spec_file)
    with spark_session(settings) as spark:
        now = end_of(datetime.now(UTC).date())
        parsed = read_interactions(spark, settings.source, spec)
        record.rows_in = _check_source(parsed, spec, settings.source, ds, now)
        visible = F.col("at").isNull() | (F.col("at") < F.lit(end_of(ds)))
        seen = parsed.where(visible & F.col("is_whole"))
        users, items = entities.read_entities(seen, settings.source, spec)
        item_links = links.read_links(spark, settings.source, spec)
        # Later days are not this night's, but a day that has not come yet is no day at all.
        tonight = parsed.where(visible | is_ahead(spec.interactions, now))
        # A checkpoint, not a cache: Spark would find the cached rows again by the file's path,
        # even after the file has changed.
        checked = with_reasons(tonight, users, items, spec, now=now).localCheckpoint()
        quarantine.check(checked, spec.max_quarantined_fraction, spec_file)
        entities.write_entities(users, tables.users(spec), lake, ds, record)
        entities.write_entities(items, tables.items(spec), lake, ds, record)
        links.write_links(item_links, lake, ds, record)
        record.rows_out = _write_changed_days(checked, spec, lake, ds, record)
        quarantine.write(checked, lake, ds, record)


def read_interactions(spark: SparkSession, source: Path, spec: DatasetSpec) -> DataFrame:
    raw = read_file(spark, source, spec.interactions, needed(spec.interactions))
    return parse_interactions(raw, spec.interactions)


def needed(columns: Interactions) -> list[str]:
    """The columns that the file of interactions is asked for."""
    time = columns.synthetic_time.order if columns.synthetic_time else columns.event_time
    names = [columns.user_id, columns.item_id, columns.rating, time]
    return [name for name in names if name is not None]


def _check_source(
    parsed: DataFrame, spec: DatasetSpec, source: Path, ds: date, now: datetime
) -> int:
    """Rows in the source; an error when it is altered, or ds comes before its first event."""
    at = F.when(~is_ahead(spec.interactions, now), F.col("at"))
    seen = parsed.agg(
        F.count("*").alias("rows"), F.min(at).alias("first"), F.max(at).alias("last")
    ).first()
    assert seen is not None
    if seen["first"] is None:
        raise UserError(
            f"{source / spec.interactions.file} has {seen['rows']:,} rows and none with a readable "
            "time up to today; expected Unix times, timestamps such as 2026-01-31T12:00:00Z, or "
            "whole numbers to make times of. Check the spec's `event_time` and `time_unit`, or "
            "`synthetic_time`."
        )
    first, last = seen["first"].date(), seen["last"].date()
    if spec.expected is not None:
        found = (seen["rows"], str(first), str(last))
        wanted = (spec.expected.interactions, spec.expected.first_day, spec.expected.last_day)
        if found != wanted:
            raise altered(spec, source, f"interactions {found}", str(wanted))
        if spec.users is None:  # no file lists them
            n_users, expected = parsed.select("user_id").distinct().count(), spec.expected.users
            if n_users != expected:
                raise altered(spec, source, f"{n_users:,} users", f"{expected:,}")
    if ds < first:
        raise UserError(
            f"ds {ds} lies before the first event of {source}; "
            f"expected a date from {first} on (the last event is of {last})."
        )
    return int(seen["rows"])


def _write_changed_days(
    checked: DataFrame, spec: DatasetSpec, lake: Lake, ds: date, record: journal.Step
) -> int:
    """Bring the lake's days up to `ds` to what the source says; returns their rows in all."""
    table = tables.interactions(spec)
    valid = valid_interactions(checked, table)
    check_spark(table, valid, "the new interactions")
    by_day = valid.withColumn("ds", F.to_date("event_time"))
    row_hash = F.xxhash64(*table.column_names)
    prints = {
        row["ds"]: f"{row['rows']}:{row['hash'] & 0xFFFFFFFFFFFFFFFF:016x}"
        for row in by_day.groupBy("ds")
        .agg(F.count("*").alias("rows"), F.bit_xor(row_hash).alias("hash"))
        .collect()
    }
    held = lake.days(table.name, until=ds)
    changed = {
        day for day, print_ in prints.items() if day not in held or held[day].fingerprint != print_
    }
    emptied = {day for day, manifest in held.items() if manifest.rows and day not in prints}
    record.progress(f"{len(changed)} of {len(prints)} days are new or changed")
    if changed:
        with lake.scratch(table.name) as folder:
            rewritten = by_day.where(F.col("ds").isin(sorted(changed))).hint("rebalance", "ds")
            rewritten.sortWithinPartitions("ds", *table.key).write.partitionBy("ds").parquet(
                str(folder / "days")
            )
            for day in sorted(changed):
                _move_in(lake, table, day, folder / "days" / f"ds={day}", prints[day])
    for day in sorted(emptied):
        write_partition(lake, table, day, valid.limit(0))
    return sum(int(print_.split(":")[0]) for print_ in prints.values())


def _move_in(lake: Lake, table: Table, day: date, files: Path, fingerprint: str) -> None:
    with lake.replacing(table.name, day) as draft:
        for file in files.iterdir():  # and their checksums, by which readers find damage
            file.rename(draft.path / file.name)
        draft.rows = parquet_rows(draft.path)
        draft.fingerprint = fingerprint


def end_of(ds: date) -> datetime:
    return datetime.combine(ds + timedelta(days=1), datetime.min.time(), UTC)
