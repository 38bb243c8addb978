"""Interactions in one file, which is read whole.

Each day of the file up to `ds` is compared with the lake's partition of that day by a fingerprint
of its rows. A night on an unchanged past therefore writes one day.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.sources.accounts import balance, quarantine
from jobs.sources.entities import read_entities
from jobs.sources.extract import Extract
from jobs.sources.files.folder import SourceFolder
from jobs.sources.fingerprints import fingerprints_of
from jobs.sources.reading import altered, read_interactions
from jobs.sources.vanished import vanished
from jobs.spark.partitions import materialised
from jobs.spark.rows import collected, only_row
from jobs.transforms.valid_rows import is_future, is_too_early, with_reasons
from schemas import utc
from schemas.dataset import time_units
from schemas.dataset.spec import DatasetSpec
from schemas.errors import UserError
from schemas.lake import Lake

AFTER_DS = "after ds"


@contextmanager
def extract(source: SourceFolder, spec: DatasetSpec, lake: Lake, ds: date) -> Iterator[Extract]:
    """The rows of the source up to `ds`; a `UserError` if it is altered, or begins later."""
    now = utc.end_of(utc.today())
    read = read_interactions(source, spec.interactions)
    parsed = read.rows
    _check_source(parsed, spec, source.path, ds, now)
    visible = F.col("at").isNull() | (F.col("at") < F.lit(utc.end_of(ds)))
    seen = parsed.where(visible & F.col("is_whole"))
    entities = read_entities(source, spec, visible=seen)
    users, items = entities.users, entities.items
    # Later days belong to later nights; a day in the future is an error.
    tonight = visible | is_future(spec.interactions, now)
    rows = read.tally.without(parsed, AFTER_DS, ~tonight, F.col("source_number"))
    # Materialised, not cached: Spark would find cached rows again by the path of the file, even
    # after the file has changed.
    checked = with_reasons(rows, users, items, spec, now=now)
    with materialised(lake, "checked", checked) as checked:
        reason_counts = quarantine.reason_counts(checked, spec)
        counts = balance.check(read.tally, balance.of_files(reason_counts), read.what)
        fingerprints = fingerprints_of(checked, spec)
        held = lake.days("interactions", until=ds)
        changed = {
            day: fingerprint
            for day, fingerprint in fingerprints.items()
            if day not in held or held[day].fingerprint != fingerprint
        }
        yield Extract(
            entities=entities,
            checked=checked,
            reason_counts=reason_counts,
            rows=balance.with_reason_counts(counts, reason_counts),
            changed=changed,
            gone=vanished(held, fingerprints),
            n_days=len(fingerprints),
        )


def _check_source(
    parsed: DataFrame, spec: DatasetSpec, source: Path, ds: date, now: datetime
) -> None:
    """An error when the source is altered, or ds comes before its first event."""
    is_no_day = is_future(spec.interactions, now) | is_too_early(spec.interactions)
    at = F.when(~is_no_day, F.col("at"))
    seen = only_row(
        parsed.agg(F.count("*").alias("rows"), F.min(at).alias("first"), F.max(at).alias("last"))
    )
    if seen["first"] is None:
        examples = [row["event_time"] for row in collected(parsed.select("event_time").limit(3))]
        raise UserError(
            f"{source / spec.interactions.file} has {seen['rows']:,} rows and none with a readable "
            f"time from {spec.interactions.earliest} to today; the first are {examples}. Expected "
            "Unix times, timestamps such as 2026-01-31T12:00:00Z, or whole numbers to make times "
            "of. Check the spec's `event_time`, `time_unit` and `earliest`, or `synthetic_time`. "
            f"{time_units.hint(examples, spec.interactions) or ''}".rstrip()
        )
    first, last = utc.day_of(seen["first"]), utc.day_of(seen["last"])
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
