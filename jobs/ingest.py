"""Ingest: the source's files become the lake's interactions by day, users, items and quarantine.

Only days that differ from what the lake has are written: a new day, a day that late events
reached, a day that lost rows. How they are found depends on the source: one file is read whole
(jobs/sources/whole_file.py), of a file a day those that changed (jobs/sources/daily_files.py).

Everything is read and checked before anything is written: a source that fails leaves the lake as
it was.
"""

from __future__ import annotations

from datetime import date

from jobs import activity, quarantine
from jobs.partitions import write_days
from jobs.session import spark_session
from jobs.sources import daily_files, database, entities, links, whole_file
from jobs.transforms.source import valid_interactions
from schemas import dataset_choice, journal, tables
from schemas.lake import Lake
from schemas.settings import Settings


def run(settings: Settings, ds: date, record: journal.Step, *, dataset: str | None = None) -> None:
    """`dataset`: the data set that the source has to hold, if it matters."""
    lake = Lake(root=settings.lake)
    spec_file = dataset_choice.find(settings.source, named=dataset)
    spec = dataset_choice.bind(lake.root, spec_file)
    interactions = tables.interactions(spec)
    take = daily_files.take if spec.interactions.is_daily else whole_file.take
    with (
        spark_session(settings) as spark,
        database.as_files(spark, settings, spec, lake) as spec,
        take(spark, settings.source, spec, lake, ds) as taken,
    ):
        record.rows_in = taken.rows_in
        reasons = quarantine.check(taken.checked, spec.max_quarantined_fraction, spec_file)
        item_links = links.read_links(spark, settings.source, spec)
        entities.write_entities(taken.entities.users, tables.users(spec), lake, ds, record)
        entities.write_entities(taken.entities.items, tables.items(spec), lake, ds, record)
        links.write_links(item_links, lake, ds, record)
        quarantine.write(taken.checked, reasons, lake, ds, record, taken.source_days)
        record.progress(f"{len(taken.changed)} of {taken.n_days} days are new or changed")
        if taken.changed:
            by_day = valid_interactions(taken.checked, interactions)
            write_days(lake, interactions, by_day, taken.changed)
        activity.bring_up_to_date(spark, lake, interactions, ds, record)
        if taken.entities.set_aside:
            record.facts["warnings"] = taken.entities.set_aside
            for text in taken.entities.set_aside:
                record.progress(text)
    record.rows_out = lake.rows("interactions", until=ds)
