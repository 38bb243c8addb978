"""Users' histories up to a day, from those of an earlier night and from the days since then.

They are kept in the table `timelines`. A partition carries the digest of the days that it was made
of. A later night uses it as long as these days have not changed; after late events a night makes
the histories again from all days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

from pyspark.sql import DataFrame, SparkSession

from jobs.history import numbering
from jobs.spark.partitions import Ranges, read_days, read_partition, write_partition
from jobs.transforms import user_histories as T
from schemas.dataset.spec import DatasetSpec
from schemas.lake import Lake, Manifest
from schemas.run import journal
from schemas.tables import lake as tables
from schemas.tables.lake import TIMELINES

# The share of the history that may be newer than the last partition, before a night writes another.
# Writing all of history costs more than adding a few days to it.
_LARGEST_ADDITION = 0.05
_EVENTS_PER_FILE = 5_000_000  # 10 to 14 bytes an event


def user_histories(
    spark: SparkSession,
    lake: Lake,
    spec: DatasetSpec,
    ds: date,
    users: DataFrame,
    items: DataFrame,
    record: journal.Step,
) -> DataFrame:
    """The rows of `TIMELINES` up to `ds`; `users` and `items` are the profiles of that day.

    A `UserError` if interactions have changed since the profiles were made.
    """
    days = lake.days("interactions", until=ds)
    kept = _kept(lake, days, ds)
    since = [day for day, held in days.items() if held.rows and (kept is None or day > kept)]
    interactions = read_days(spark, lake, tables.interactions(spec), since)
    numbering.require_same(lake, spec, ds)
    found = T.user_histories(interactions, users, items)
    if kept is not None:
        held = lake.manifest(TIMELINES.name, kept)
        assert held is not None
        earlier = read_partition(spark, lake, TIMELINES, kept)
        found = T.extended(earlier, found, held.rows) if since else earlier
        record.progress(f"timelines of {kept} and {len(since)} days since")
    added, whole = (sum(days[day].rows for day in each) for each in (since, days))
    if added <= _LARGEST_ADDITION * whole:
        return found
    ranges = ranges_of_users(lake, spec, ds)
    write_partition(lake, TIMELINES, ds, found, ranges=ranges, fingerprint=numbering.digest(days))
    return read_partition(spark, lake, TIMELINES, ds)


def ranges_of_users(lake: Lake, spec: DatasetSpec, ds: date) -> Ranges:
    """How histories and what is made of them are written: files of about 64 MiB, with equally many
    users."""
    profiles = lake.manifest(tables.user_profiles(spec).name, ds)
    assert profiles is not None
    files = math.ceil(lake.rows("interactions", until=ds) / _EVENTS_PER_FILE)
    return Ranges(column="user_index", last=profiles.rows, files=max(files, 1))


def _kept(lake: Lake, days: Mapping[date, Manifest], ds: date) -> date | None:
    """The last day up to `ds` whose histories are of the interactions in force."""
    held = lake.days(TIMELINES.name, until=ds)
    for day in sorted(held, reverse=True):
        up_to_day = {each: manifest for each, manifest in days.items() if each <= day}
        if held[day].fingerprint == numbering.digest(up_to_day):
            return day
    return None
