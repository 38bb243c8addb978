"""What a source holds, as its dataset spec reads it: everything a person wants to know before a
first night, and everything that is wrong at once. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.sources import links, needed_columns
from jobs.sources.accounts import quarantine, rows_by_file
from jobs.sources.accounts.accounting import Counts
from jobs.sources.accounts.quarantine import ReasonCount
from jobs.sources.extract import Extract
from jobs.sources.extractors import extractor
from jobs.sources.files.folder import SourceFolder, opened
from jobs.sources.files.paths import parts
from jobs.sources.formats import database
from jobs.sources.formats.headers import columns_of
from jobs.sources.reading import problems, with_bytes
from jobs.spark.rows import collected, only_row
from jobs.spark.session import spark_session
from jobs.tools import ratings
from jobs.tools.text_table import WIDTH, text_table
from jobs.transforms.valid_rows import valid_interactions
from schemas import utc
from schemas.dataset import choice as dataset_choice
from schemas.dataset import spec as dataset_spec
from schemas.dataset.spec import DatasetSpec, SourceFile
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.run.settings import Settings
from schemas.tables import lake as tables

_ROWS = 5


def run(settings: Settings, source: Path | None, spec_file: Path | None) -> None:
    """Print what `source` holds; a `UserError` lists every file and column that is missing."""
    settings = replace(settings, source=source or settings.source)
    found = spec_file or dataset_choice.find(settings.source)
    spec = dataset_spec.load(found)
    print(f"{settings.source}\n  is read by {found} as {spec.title} ({spec.feedback} feedback)\n")
    problems = [
        text
        for file, names in needed_columns.of_spec(spec)
        for text in _problems(settings.source, file, names)
    ]
    if problems:
        raise UserError(
            f"{settings.source} does not fit {found}, "
            f"for {len(problems)} reason{'s' * (len(problems) > 1)}:"
            + "".join(f"\n  {n}. {text}" for n, text in enumerate(problems, start=1))
        )
    with (
        TemporaryDirectory(dir=_shared(settings)) as folder,
        spark_session(settings) as spark,
        database.as_files(spark, settings, spec, Lake(root=Path(folder))) as spec,
        opened(spark, settings.source, Lake(root=Path(folder))) as opened_source,
        extractor(spec)(opened_source, spec, Lake(root=Path(folder)), utc.today()) as extract,
    ):
        for section in _sections(opened_source, spec, extract, found):
            print(section + "\n")


def _shared(settings: Settings) -> Path | None:
    """A place that Spark sees as well, should it run elsewhere; None for the system's own."""
    return settings.home if settings.home.is_dir() else None


def _problems(source: Path, file: SourceFile, names: Sequence[str]) -> Iterator[str]:
    if file.format == "jdbc":
        return  # nobody has asked the database yet
    try:
        found = with_bytes(parts(source, file), file)
    except UserError as error:
        yield str(error)
        return
    yield from problems(source, found, file, names)


def _sections(
    source: SourceFolder, spec: DatasetSpec, extract: Extract, spec_file: Path
) -> Iterator[str]:
    """The whole description, and then the error that ingest would end with, if any."""
    yield _columns(source.path, needed_columns.of_spec(spec))
    _, of_links = links.read_links(source, spec)
    yield _files({"interactions": extract.rows, **extract.entities.rows, **of_links})
    valid = valid_interactions(extract.checked, tables.interactions(spec))
    yield _ranges(valid)
    if not spec.is_implicit:
        yield "Ratings\n\n" + ratings.shown(valid)
    notes = filter(
        None,
        [
            *extract.notes,
            *extract.entities.set_aside,
            quarantine.between_levels(extract.reason_counts, spec),
        ],
    )
    yield "\n".join([_set_aside(extract.reason_counts, spec), *(f"  {text}" for text in notes)])
    yield _first("interactions", valid.orderBy("event_time", "user_id", "item_id"))
    yield _first("users", extract.entities.users.orderBy("user_id"))
    yield _first("items", extract.entities.items.orderBy("item_id"))
    quarantine.check(extract.checked, extract.reason_counts, spec, spec_file)


def _columns(source: Path, asked: needed_columns.Asked) -> str:
    lines = []
    for file, names in asked:
        used = list(dict.fromkeys([*names, *file.only, *file.without]))
        there = dict.fromkeys(
            n for part in with_bytes(parts(source, file), file) for n in columns_of(part.path, file)
        )
        unused = [name for name in there if name not in used]
        name = database.name_of(file)
        listed = f"{name}: {', '.join(used)}; not used: {', '.join(unused) or 'none'}"
        lines.append(fill(listed, WIDTH, initial_indent="  ", subsequent_indent="    "))
    return "Columns\n\n" + "\n".join(lines)


def _files(rows: Mapping[str, Counts]) -> str:
    shown = rows_by_file.worth_telling(rows)
    table = text_table(rows_by_file.HEADER, list(rows_by_file.lines(shown)))
    counts = rows_by_file.total(each for by_file in shown.values() for each in by_file.values())
    left_out = (f"\n  left out: {n:,} {rule}" for rule, n in rows_by_file.rules(counts).items())
    return f"Files\n\n{table}{''.join(left_out)}"


def _ranges(valid: DataFrame) -> str:
    found = valid.agg(
        F.count("*"), F.countDistinct("user_id"), F.countDistinct("item_id"),
        F.min("event_time"), F.max("event_time"),
    )  # fmt: skip
    rows, users, items, first, last = only_row(found).values()
    if not rows:
        return "Interactions: none that breaks no rule"
    return (
        f"Interactions\n\n  {rows:,} from {utc.day_of(first)} to {utc.day_of(last)} (UTC), of "
        f"{users:,} users with {items:,} items"
    )


def _set_aside(reason_counts: Sequence[ReasonCount], spec: DatasetSpec) -> str:
    counts = quarantine.count(reason_counts)
    rows, valid = sum(counts.values()), counts.pop(None, 0)
    bound = (
        "" if spec.interactions.synthetic_time
        else f"\n  An event before {spec.interactions.earliest} counts as one without a time."
    )  # fmt: skip
    if rows == valid:
        return f"Rows that would be set aside: none{bound}"
    share = f"{(rows - valid) / rows:.2%}, allowed are {spec.max_quarantined_fraction:.2%}"
    reasons = [(str(reason), number) for reason, number in counts.items()]
    table = text_table(("reason", "rows"), reasons)
    return f"Rows that would be set aside: {share}\n\n{table}{bound}"


def _first(name: str, frame: DataFrame) -> str:
    first = [tuple(map(_shown, row.values())) for row in collected(frame.limit(_ROWS))]
    return f"First {name}, as the night would have them\n\n" + text_table(
        frame.columns, first, wide=frame.columns[-1]
    )


def _shown(value: object) -> object:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    return utc.shown(value) if isinstance(value, datetime) else value
