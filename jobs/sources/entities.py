"""The source's users and items in the lake, as a night finds them, attributes as lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.partitions import write_partition
from jobs.rows import collected, only_row
from jobs.sources import balance
from jobs.sources.folder import SourceFolder
from jobs.sources.needed_columns import of_items, of_users
from jobs.sources.reading import Reading, altered, read_file
from jobs.transforms.entities import entities, is_set, users_of
from jobs.transforms.source import ORIGIN, column, id_text, is_storable_id, is_storable_text
from schemas import tables
from schemas.columns import Table
from schemas.dataset_spec import DatasetSpec, Feature, Items, Users
from schemas.errors import UserError
from schemas.journal import Step
from schemas.lake import Lake
from schemas.source_tables import MAX_ID_CHARACTERS


@dataclass(frozen=True, kw_only=True)
class Entities:
    """Users and items, one row per id; `set_aside` says what of the files is not among them."""

    users: DataFrame
    items: DataFrame
    set_aside: tuple[str, ...]


def read_entities(
    source: SourceFolder, spec: DatasetSpec, visible: DataFrame | None = None
) -> Entities:
    """Users and items, checked: one row per id, as many as the spec expects.

    A source without a file of users has those of its interactions up to ds, `visible`.
    """
    set_aside: list[str] = []
    if spec.users is None:
        assert visible is not None, "the spec of a file a day names a file of users"
        users = users_of(visible, tables.users(spec)).localCheckpoint()
    else:
        users = _entities(source, spec.users, tables.users(spec), set_aside)
        _check_number(users, tables.users(spec), spec, source.path)
    items = _entities(source, spec.items, tables.items(spec), set_aside)
    _check_number(items, tables.items(spec), spec, source.path)
    return Entities(users=users, items=items, set_aside=tuple(set_aside))


def write_entities(frame: DataFrame, table: Table, lake: Lake, ds: date, record: Step) -> None:
    rows = write_partition(lake, table, ds, frame)
    record.progress(f"{rows:,} {table.name}")


def _entities(
    source: SourceFolder, file: Users | Items, table: Table, set_aside: list[str]
) -> DataFrame:
    names: dict[str, str | None]
    if isinstance(file, Users):
        needed, names = of_users(file), {"user_id": file.user_id}
    else:
        needed, names = of_items(file), {"item_id": file.item_id, "title": file.title}
    path, [key] = source.path / file.file, table.key
    read = read_file(source, file, needed)
    # Set down: interactions are held against what is written, whatever becomes of the file.
    raw = source.set_down(read.rows)
    _check_lists(raw, file.features, path)
    _check(read, raw, file, set_aside)
    frame = entities(raw.where(_counts(needed[0])), table, names, file.features)
    faulty = frame.groupBy(key).count().where(F.col(key).isNull() | (F.col("count") > 1))
    examples = [row[key] for row in collected(faulty.orderBy(key).limit(5))]
    if examples:
        raise UserError(
            f"{path}: {key} is empty or repeated, for example {examples}; "
            "expected one row per id. Mend the file."
        )
    return _storable(frame, key, path, set_aside)


def _counts(key: str) -> Column:
    """Whether a row is one of an entity: a broken row that has an id counts with what it has."""
    return F.col(f"{ORIGIN}.is_whole") | (F.coalesce(id_text(key), F.lit("")) != "")


def _check(read: Reading, raw: DataFrame, file: Users | Items, set_aside: list[str]) -> None:
    """Hold the rows that were set down against those that were read, all in one aggregation."""
    key = file.user_id if isinstance(file, Users) else file.item_id
    flags = list(dict.fromkeys(name for each in file.features.values() for name in each.flags))
    odd = [F.max(F.when(is_set(column(name)).isNull(), column(name))) for name in flags]
    by_file = collected(
        raw.groupBy(F.col(f"{ORIGIN}.file").alias("_file")).agg(
            F.count("*").alias("_rows"),
            F.count_if(~F.col(f"{ORIGIN}.is_whole")).alias("_broken"),
            F.count_if(~_counts(key)).alias("_lost"),
            *(value.alias(f"_{n}") for n, value in enumerate(odd)),
        )
    )
    balance.check(read.tally, {row["_file"]: row["_rows"] for row in by_file}, read.what)
    if not by_file:
        raise UserError(f"{read.what} has no rows; expected one for each {key}. Fill the file.")
    if broken := sum(row["_broken"] for row in by_file):
        set_aside.append(
            f"{read.what}: {broken:,} rows have more or fewer columns than the file, or a line "
            f"break within quotes; {sum(row['_lost'] for row in by_file):,} of them have no {key} "
            "and are left out. If quoted values go over several lines, say multiline = true in "
            "the dataset spec"
        )
    for n, name in enumerate(flags):
        if found := [row[f"_{n}"] for row in by_file if row[f"_{n}"] is not None]:
            raise UserError(
                f"{read.what}: the flag {name} is {found[0]!r} in some row; expected 1 or 0, true "
                "or false, yes or no. Mend the file, or take the column for a feature of its own."
            )


def _storable(frame: DataFrame, key: str, path: Path, set_aside: list[str]) -> DataFrame:
    """Without the ids, and without the titles, that some warehouse cannot hold."""
    columns = {key: is_storable_id(F.col(key))}
    if "title" in frame.columns:
        columns["title"] = F.coalesce(is_storable_text(F.col("title")), F.lit(True))
    faults = (F.count_if(~good).alias(name) for name, good in columns.items())
    found = only_row(frame.agg(*faults))
    if not any(found.values()):
        return frame
    if count := found[key]:
        limit = f"U+0000 or more than {MAX_ID_CHARACTERS} characters"
        set_aside.append(f"{path}: {count:,} rows left out, whose {key} has {limit}")
    if count := found.get("title"):
        set_aside.append(f"{path}: {count:,} titles left out, which have U+0000")
    kept = frame.where(columns[key])
    if "title" in columns:
        kept = kept.withColumn("title", F.when(columns["title"], F.col("title")))
    return kept


def _check_lists(raw: DataFrame, features: Mapping[str, Feature], path: Path) -> None:
    lists = {each.name for each in raw.schema if isinstance(each.dataType, T.ArrayType)}
    for name, feature in features.items():
        is_plain = feature.kind == "multi" and not (feature.separator or feature.pattern)
        if feature.column in lists and not is_plain:
            raise UserError(
                f"{path}: {feature.column} holds lists, and the feature {name!r} takes them apart "
                f"as {feature.kind!r}; expected kind 'multi' without separator and pattern."
            )


def _check_number(frame: DataFrame, table: Table, spec: DatasetSpec, source: Path) -> None:
    expected = getattr(spec.expected, table.name, None)
    if expected is not None and (found := frame.count()) != expected:
        raise altered(spec, source, f"{found:,} {table.name}", f"{expected:,}")
