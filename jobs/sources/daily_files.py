"""Interactions in a file (or folder) a day, of which only those that changed are read.

A day of the lake depends on its file, on the dataset spec, and on which users and items are known.
The fingerprint of its interactions names all three beside the rows, so a run knows without reading
a file whether its rows would be the same. Late events change the file of their own day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.history import daily_statistics
from jobs.sources.accounts import balance, quarantine
from jobs.sources.accounts.quarantine import ReasonCount
from jobs.sources.entities import read_entities
from jobs.sources.extract import Extract
from jobs.sources.files.folder import SourceFolder
from jobs.sources.files.paths import by_day, files_in, of_no_day, parts_of_days
from jobs.sources.fingerprints import fingerprints_of
from jobs.sources.reading import read_interactions
from jobs.sources.vanished import vanished
from jobs.spark.partitions import materialised, read_days
from jobs.spark.rows import collected, only_row
from jobs.transforms.valid_rows import with_reasons
from schemas import utc
from schemas.dataset.spec import DatasetSpec
from schemas.errors import UserError
from schemas.lake import Lake, Manifest
from schemas.tables.history import ITEM_DAYS, USER_DAYS
from schemas.tables.lake import INTERACTIONS_QUARANTINE

_READ = {"feedback", "interactions", "rating_scale", "rating_step"}  # of the spec
_WITHOUT_ROWS = "0:0"
_HAS_UNKNOWN = "has unknown"


@contextmanager
def extract(source: SourceFolder, spec: DatasetSpec, lake: Lake, ds: date) -> Iterator[Extract]:
    """The days of the source up to `ds` that differ from those of the lake."""
    spark, files = source.spark, by_day(source.path, spec.interactions.file, ds)
    if not files:
        raise UserError(
            f"{source.path} has no file {spec.interactions.file} of a day up to ds {ds}; expected "
            "one for each day with interactions. Choose a later ds, or correct the spec's `file`."
        )
    entities = read_entities(source, spec)
    users, items = entities.users, entities.items
    ids = _digest(users, items)
    made_of = {day: _made_of(file, spec) for day, file in files.items()}
    held = lake.days("interactions", until=ds)
    same = {day for day in files if _is_made_of(held.get(day), made_of[day], ids)}
    same -= (
        daily_statistics.stale(lake, USER_DAYS, ds).keys()
        | daily_statistics.stale(lake, ITEM_DAYS, ds).keys()
    )
    same -= _with_vanished(spark, lake, _of_other_ids(held, same, ids), users, items)
    if lake.manifest(INTERACTIONS_QUARANTINE.name, ds) is None:
        same.discard(ds)  # retention has removed the quarantine of ds: only its file restores it
    changed = sorted(files.keys() - same)
    parts = parts_of_days({day: files[day] for day in changed})
    read = read_interactions(source, spec.interactions, parts)
    checked = with_reasons(read.rows, users, items, spec, now=utc.end_of(utc.today()))
    with materialised(lake, "checked", checked) as checked:
        reason_counts = quarantine.reason_counts(checked, spec)
        counts = balance.check(read.tally, balance.of_files(reason_counts), read.what)
        # If there are too many bad rows, the quarantine stops the step with a better message.
        is_said = reason_counts and spec.max_quarantined_fraction < 1
        if not is_said and not any(each.reason is None for each in reason_counts):
            _check_some(source, files, held, same)
        of_rows = fingerprints_of(checked, spec)
        unknown = _with_unknown(reason_counts)
        fingerprints = {
            day: f"{of_rows.get(day, _WITHOUT_ROWS)}:{made_of[day]}:{ids}:{unknown.get(day, '')}"
            for day in changed
        }
        gone = vanished(held, same | of_rows.keys())
        yield Extract(
            entities=entities,
            checked=checked,
            reason_counts=reason_counts,
            rows=balance.with_reason_counts(counts, reason_counts),
            changed=fingerprints,
            gone=gone,
            n_days=len(files),
            notes=[note] if (note := _not_read(source, spec)) else [],
            # A ds without a file has an empty quarantine, and is no day of interactions.
            source_days=sorted({*changed, *gone} | {ds} - files.keys()),
        )


def _with_unknown(reason_counts: Sequence[ReasonCount]) -> dict[date | None, str]:
    """The days on which some row has an unknown user or item."""
    of_ids = ("unknown_user", "unknown_item")
    return {each.day: _HAS_UNKNOWN for each in reason_counts if each.reason in of_ids}


def _check_some(
    source: SourceFolder, files: Mapping[date, Path], held: Mapping[date, Manifest], same: set[date]
) -> None:
    """A `UserError` if all days with a file would be empty."""
    if not any(held[day].rows for day in same):
        raise UserError(
            f"{source.path} has {len(files):,} days up to ds, from {min(files)} to {max(files)}, "
            "and no valid interaction in any of them; expected some. See what `python -m jobs "
            "describe-source` reports, and correct the source or the dataset spec."
        )


def _not_read(source: SourceFolder, spec: DatasetSpec) -> str | None:
    pattern = spec.interactions.file
    others = ["dataset.toml", *(file for file in spec.files() if file != pattern)]
    return of_no_day(source.path, pattern, others)


def _made_of(file: Path, spec: DatasetSpec) -> str:
    """A digest of what reads the day, and of when, and how large, its files were written."""
    stats = [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files_in(file)]
    return hashlib.sha256(repr((stats, spec.model_dump(include=_READ))).encode()).hexdigest()[:16]


def _digest(*frames: DataFrame) -> str:
    """A digest of the ids of users and items that does not depend on their order."""
    digests = []
    for frame in frames:
        key = F.xxhash64(frame.columns[0])
        row = only_row(frame.agg(F.count("*").alias("n"), F.bit_xor(key).alias("hash")))
        digests.append(f"{row['n']}-{(row['hash'] or 0) & 0xFFFFFFFFFFFFFFFF:016x}")
    return "/".join(digests)


def _is_made_of(held: Manifest | None, made_of: str, ids: str) -> bool:
    """Whether the day would be read the same again, as long as no known id has vanished."""
    match (held.fingerprint or "").split(":") if held else []:
        case [_, _, was_made_of, was_ids, flag]:
            return was_made_of == made_of and (was_ids == ids or flag != _HAS_UNKNOWN)
    return False


def _of_other_ids(held: dict[date, Manifest], days: Iterable[date], ids: str) -> list[date]:
    return sorted(day for day in days if f":{ids}:" not in (held[day].fingerprint or ""))


def _with_vanished(
    spark: SparkSession, lake: Lake, days: list[date], users: DataFrame, items: DataFrame
) -> set[date]:
    """Those days with a user or an item that is no longer known."""
    gone = set()
    for table, known in ((USER_DAYS, users), (ITEM_DAYS, items)):
        [key] = table.key
        unknown = read_days(spark, lake, table, days).join(known, on=key, how="left_anti")
        found = unknown.select(F.to_date("first_seen").alias("day")).distinct()
        gone |= {row["day"] for row in collected(found)}
    return gone
