"""Ingest: the source's files become interactions by day, users, items, links and quarantine.

Each day of the source up to `ds` is compared with the lake's partition of that day by a
fingerprint of its rows. Only days that differ are written: a new day, a day that late events
reached, a day that lost rows. A night on an unchanged past therefore writes one day.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs import links
from jobs.partitions import parquet_rows, read_partition, write_partition
from jobs.session import spark_session
from jobs.source import read_delimited
from jobs.transforms.source import entities, parse_interactions, valid_interactions, with_reasons
from schemas import dataset_choice, journal, tables
from schemas.columns import Table
from schemas.dataset_spec import DatasetSpec, Feature
from schemas.delimited_file import DelimitedFile
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.settings import Settings
from schemas.spark import check_spark


def run(settings: Settings, ds: date, record: journal.Step) -> None:
    lake = Lake(root=settings.lake)
    spec = dataset_choice.bind(lake.root, dataset_choice.find(settings.source))
    with spark_session(settings) as spark:
        parsed = _read_interactions(spark, settings.source, spec)
        record.rows_in = _check_source(parsed, spec, settings.source, ds)
        users, items = _ingest_entities(spark, settings.source, spec, lake, ds, record)
        links.ingest(spark, settings.source, spec, lake, ds, record)
        visible = parsed.where(F.col("at").isNull() | (F.col("at") < F.lit(_end_of(ds))))
        # A checkpoint, not a cache: Spark would find the cached rows again by the file's path,
        # even after the file has changed.
        checked = with_reasons(visible, users, items, spec).localCheckpoint()
        record.rows_out = _write_changed_days(checked, spec, lake, ds, record)
        _write_quarantine(checked, lake, ds, record)


def _ingest_entities(
    spark: SparkSession,
    source: Path,
    spec: DatasetSpec,
    lake: Lake,
    ds: date,
    record: journal.Step,
) -> tuple[DataFrame, DataFrame]:
    users = _entities(
        spark, source, spec.users, spec.users.features, tables.users(spec),
        {"user_id": spec.users.user_id},
    )  # fmt: skip
    items = _entities(
        spark, source, spec.items, spec.items.features, tables.items(spec),
        {"item_id": spec.items.item_id, "title": spec.items.title},
    )  # fmt: skip
    for frame, table in ((users, tables.users(spec)), (items, tables.items(spec))):
        expected = getattr(spec.expected, table.name, None)
        if expected is not None and (found := frame.count()) != expected:
            raise _altered(spec, source, f"{found:,} {table.name}", f"{expected:,}")
        rows = write_partition(lake, table, ds, frame)
        record.progress(f"{rows:,} {table.name}")
    return (
        read_partition(spark, lake, tables.users(spec), ds, made_by="ingest"),
        read_partition(spark, lake, tables.items(spec), ds, made_by="ingest"),
    )


def _entities(
    spark: SparkSession,
    source: Path,
    file: DelimitedFile,
    features: dict[str, Feature],
    table: Table,
    names: dict[str, str],
) -> DataFrame:
    wanted = [name for f in features.values() for name in (f.column, *f.flags) if name]
    raw = read_delimited(spark, source, file, [*names.values(), *wanted])
    frame = entities(raw, table, names, features)
    [key] = table.key
    faulty = frame.groupBy(key).count().where(F.col(key).isNull() | (F.col("count") > 1))
    examples = [row[key] for row in faulty.orderBy(key).limit(5).collect()]
    if examples:
        raise UserError(
            f"{source / file.file}: {key} is empty or repeated, for example {examples}; "
            "expected one row per id. Mend the file."
        )
    return frame


def _read_interactions(spark: SparkSession, source: Path, spec: DatasetSpec) -> DataFrame:
    columns = spec.interactions
    needed = [columns.user_id, columns.item_id, columns.rating, columns.event_time]
    return parse_interactions(read_delimited(spark, source, columns, needed), columns)


def _check_source(parsed: DataFrame, spec: DatasetSpec, source: Path, ds: date) -> int:
    """Rows in the source; an error when it is altered, or ds comes before its first event."""
    seen = parsed.agg(
        F.count("*").alias("rows"), F.min("at").alias("first"), F.max("at").alias("last")
    ).first()
    assert seen is not None
    if seen["first"] is None:
        raise UserError(
            f"{source / spec.interactions.file} has {seen['rows']:,} rows and none with a readable "
            "time; expected Unix times. Check the spec's `event_time` and `time_unit`."
        )
    first, last = seen["first"].date(), seen["last"].date()
    if spec.expected is not None:
        found = (seen["rows"], str(first), str(last))
        wanted = (spec.expected.interactions, spec.expected.first_day, spec.expected.last_day)
        if found != wanted:
            raise _altered(spec, source, f"interactions {found}", str(wanted))
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
        for file in files.glob("*.parquet"):
            file.rename(draft.path / file.name)
        draft.rows = parquet_rows(draft.path)
        draft.fingerprint = fingerprint


def _write_quarantine(checked: DataFrame, lake: Lake, ds: date, record: journal.Step) -> None:
    table = tables.INTERACTIONS_QUARANTINE
    bad = checked.where(F.col("reason").isNotNull()).select(*table.column_names)
    rows = write_partition(lake, table, ds, bad.orderBy(*table.column_names))
    record.facts["quarantined"] = rows
    if rows:
        counts = bad.groupBy("reason").count().orderBy(F.desc("count"), "reason").collect()
        reasons = ", ".join(f"{row['reason']} {row['count']:,}" for row in counts)
        record.progress(f"{rows:,} rows quarantined: {reasons}")


def _altered(spec: DatasetSpec, source: Path, found: str, expected: str) -> UserError:
    return UserError(
        f"{source} holds {found} where {spec.title} has {expected}; its files are cut or altered. "
        "Delete the folder and fetch it again; for data of your own, put a dataset.toml beside it."
    )


def _end_of(ds: date) -> datetime:
    return datetime.combine(ds + timedelta(days=1), datetime.min.time(), UTC)
