"""Ingest: the source's files become the lake's interactions by day, users, items and quarantine.

Only days that differ from what the lake has are written: a new day, a day that late events
reached, a day that lost rows. How they are found depends on the source: one file is read whole
(jobs/sources/whole_file.py), of a file a day those that changed (jobs/sources/daily_files.py).

Everything is read and checked before anything is written: a source that fails leaves the lake as
it was.
"""

from __future__ import annotations

from datetime import date

from jobs.history import daily_statistics
from jobs.sources import entities, links, vanished
from jobs.sources.accounts import quarantine, rows_by_file
from jobs.sources.accounts.accounting import KEPT, QUARANTINED, READ
from jobs.sources.extract import Extract
from jobs.sources.extractors import extractor
from jobs.sources.files import folder
from jobs.sources.formats import database
from jobs.spark.partitions import write_days
from jobs.spark.session import spark_session
from jobs.transforms.valid_rows import valid_interactions
from schemas.dataset import choice as dataset_choice
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings
from schemas.tables import lake as tables


def run(settings: Settings, ds: date, record: journal.Step, *, dataset: str | None = None) -> None:
    """`dataset`: the data set that the source has to hold, if it matters."""
    lake = Lake(root=settings.lake)
    spec_file = dataset_choice.find(settings.source, named=dataset)
    spec = dataset_choice.bind(lake.root, spec_file)
    interactions = tables.interactions(spec)
    with (
        spark_session(settings) as spark,
        database.as_files(spark, settings, spec, lake) as spec,
        folder.opened(spark, settings.source, lake) as source,
        extractor(spec)(source, spec, lake, ds) as extract,
    ):
        _account(extract, record)
        reasons = quarantine.check(extract.checked, extract.reason_counts, spec, spec_file)
        held = lake.rows("interactions", until=ds)
        vanished.check(extract.gone, held, spec, spec_file, extract.notes)
        item_links, rows_of_links = links.read_links(source, spec)
        rows = {"interactions": extract.rows, **extract.entities.rows, **rows_of_links}
        record.facts["rows_of_files"] = rows_by_file.worth_telling(rows)
        entities.write_entities(extract.entities.users, tables.users(spec), lake, ds, record)
        entities.write_entities(extract.entities.items, tables.items(spec), lake, ds, record)
        links.write_links(item_links, lake, ds, record)
        quarantine.write(extract.checked, reasons, lake, ds, record, extract.source_days)
        changed = {**dict.fromkeys(extract.gone, vanished.NO_ROWS), **extract.changed}
        record.progress(f"{len(changed)} of {extract.n_days} days are new or changed")
        if changed:
            by_day = valid_interactions(extract.checked, interactions)
            write_days(lake, interactions, by_day, changed)
        daily_statistics.bring_up_to_date(spark, lake, interactions, ds, record)
        between = quarantine.between_levels(extract.reason_counts, spec)
        gone = vanished.note(extract.gone)
        if notes := [*extract.notes, *extract.entities.set_aside, *filter(None, [gone, between])]:
            record.facts["warnings"] = notes
            for text in notes:
                record.progress(text)
    record.rows_out = lake.rows("interactions", until=ds)


def _account(extract: Extract, record: journal.Step) -> None:
    """Write the accounts of the rows of interactions to the journal."""
    counts = {KEPT: 0, **rows_by_file.total(extract.rows.values())}
    record.rows_in = counts[READ]
    record.facts["rows"] = {name: n for name, n in counts.items() if name != QUARANTINED}
    left_out = [f"{n:,} {rule}" for rule, n in rows_by_file.rules(counts).items()]
    kept = f"{counts[READ]:,} rows read: {counts[KEPT]:,} kept"
    record.progress(", ".join([kept, *left_out]))
