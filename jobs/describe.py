"""What a source holds, as its dataset spec reads it: everything a person wants to know before a
first night, and everything that is wrong at once. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs import quarantine
from jobs.rows import collected, only_row
from jobs.session import spark_session
from jobs.sources import database, entities, needed_columns
from jobs.sources.paths import paths
from jobs.sources.reading import columns_of, missing_from, read_file, read_interactions
from jobs.text_table import WIDTH, text_table
from jobs.transforms.source import ORIGIN, is_ahead, valid_interactions, with_reasons
from schemas import dataset_choice, dataset_spec, tables, utc
from schemas.dataset_spec import DatasetSpec, SourceFile
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.settings import Settings

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
            f"{settings.source} does not fit {found}, for {len(problems)} reasons:"
            + "".join(f"\n  {n}. {text}" for n, text in enumerate(problems, start=1))
        )
    with (
        TemporaryDirectory() as folder,
        spark_session(settings) as spark,
        database.as_files(spark, settings, spec, Lake(root=Path(folder))) as spec,
    ):
        for section in _sections(spark, settings.source, spec):
            print(section + "\n")


def _problems(source: Path, file: SourceFile, names: Sequence[str]) -> Iterator[str]:
    if file.format == "jdbc":
        return  # nobody has asked the database yet
    try:
        found = [missing_from(path, file, names) for path in paths(source, file)]
    except UserError as error:
        found = [str(error)]
    yield from filter(None, found)


def _sections(spark: SparkSession, source: Path, spec: DatasetSpec) -> Iterator[str]:
    yield _files(spark, source, needed_columns.of_spec(spec))
    now = utc.end_of(utc.today())
    parsed = read_interactions(spark, source, spec.interactions)
    is_ahead_of_us = F.coalesce(is_ahead(spec.interactions, now), F.lit(False))
    seen = parsed.where(F.col("is_whole") & ~is_ahead_of_us)
    found = entities.read_entities(spark, source, spec, visible=seen)
    checked = with_reasons(parsed, found.users, found.items, spec, now=now).localCheckpoint()
    valid = valid_interactions(checked, tables.interactions(spec))
    yield _ranges(valid)
    if spec.feedback == "explicit":
        levels = collected(valid.groupBy("rating").count().orderBy("rating"))
        counts = [(f"{row['rating']:g}", row["count"]) for row in levels]
        yield "Ratings\n\n" + text_table(("rating", "interactions"), counts)
    yield "\n".join([_set_aside(checked, spec), *(f"  {text}" for text in found.set_aside)])
    yield _first("interactions", valid.orderBy("event_time", "user_id", "item_id"))
    yield _first("users", found.users.orderBy("user_id"))
    yield _first("items", found.items.orderBy("item_id"))


def _files(spark: SparkSession, source: Path, asked: needed_columns.Asked) -> str:
    counts, columns = [], []
    for file, names in asked:
        broken = F.count_if(~F.col(f"{ORIGIN}.is_whole"))
        count = only_row(
            read_file(spark, source, file, names).agg(
                F.count("*").alias("rows"), broken.alias("broken")
            )
        )
        size = f"{sum(path.stat().st_size for path in paths(source, file)) / 1e6:,.1f} MB"
        name = database.name_of(file)
        counts.append((name, size, count["rows"], count["broken"]))
        used = list(dict.fromkeys([*names, *file.only, *file.without]))
        unused = [name for name in columns_of(paths(source, file)[0], file) if name not in used]
        listed = f"{name}: {', '.join(used)}; not used: {', '.join(unused) or 'none'}"
        columns.append(fill(listed, WIDTH, initial_indent="  ", subsequent_indent="    "))
    # Broken rows have more or fewer columns than the file.
    table = text_table(("file", "size", "rows", "broken rows"), counts)
    return f"Files\n\n{table}\n\nColumns\n\n" + "\n".join(columns)


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


def _set_aside(checked: DataFrame, spec: DatasetSpec) -> str:
    counts = quarantine.count(checked)
    rows, valid = sum(counts.values()), counts.pop(None, 0)
    if rows == valid:
        return "Rows that would be set aside: none"
    share = f"{(rows - valid) / rows:.2%}, allowed are {spec.max_quarantined_fraction:.2%}"
    reasons = [(str(reason), number) for reason, number in counts.items()]
    return f"Rows that would be set aside: {share}\n\n" + text_table(("reason", "rows"), reasons)


def _first(name: str, frame: DataFrame) -> str:
    first = [tuple(map(_shown, row.values())) for row in collected(frame.limit(_ROWS))]
    return f"First {name}, as the night would have them\n\n" + text_table(
        frame.columns, first, wide=frame.columns[-1]
    )


def _shown(value: object) -> object:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    return utc.shown(value) if isinstance(value, datetime) else value
