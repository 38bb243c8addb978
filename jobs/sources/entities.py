"""The users and items of the source as tables of the lake, with attributes as lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_
from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.sources.accounts import balance
from jobs.sources.accounts.accounting import KEPT, Counts
from jobs.sources.files.folder import SourceFolder
from jobs.sources.needed_columns import of_items, of_users
from jobs.sources.reading import Reading, altered, check_plain, read_file
from jobs.spark.partitions import write_partition
from jobs.spark.rows import collected
from jobs.transforms.entities import entities, has_unstorable, is_set, lists_of, users_of
from jobs.transforms.source import ORIGIN, column, id_text
from jobs.transforms.valid_rows import is_storable_id, is_storable_text
from schemas.dataset.spec import DatasetSpec, Feature, Items, Users
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.run.journal import Step
from schemas.tables import lake as tables
from schemas.tables.columns import Table
from schemas.tables.source import MAX_ID_CHARACTERS

_RULES = _WITHOUT_ID, _UNSTORABLE = "broken, without an id", "no warehouse can hold the id"
_COUNTED = (*_RULES, "_broken", "_titles", "_values")
_TOO_MUCH = f"U+0000 or more than {MAX_ID_CHARACTERS} characters"


@dataclass(frozen=True, kw_only=True)
class Entities:
    """Users and items, one row per id.

    rows: for each file, by the name of its table, the rows read, kept, set aside and left out
    set_aside: sentences about rows that are not among them
    """

    users: DataFrame
    items: DataFrame
    rows: dict[str, Counts]
    set_aside: tuple[str, ...]


def read_entities(
    source: SourceFolder, spec: DatasetSpec, visible: DataFrame | None = None
) -> Entities:
    """Users and items, checked: one row per id, as many as the spec expects.

    Without a file of users, the users are those of the interactions up to ds, `visible`.
    """
    set_aside: list[str] = []
    rows: dict[str, Counts] = {}
    if spec.users is None:
        assert visible is not None, "the spec of a file a day names a file of users"
        users = users_of(visible, tables.users(spec)).localCheckpoint()
    else:
        users, rows["users"] = _entities(source, spec.users, tables.users(spec), set_aside)
        _check_number(users, tables.users(spec), spec, source.path)
    items, rows["items"] = _entities(source, spec.items, tables.items(spec), set_aside)
    _check_number(items, tables.items(spec), spec, source.path)
    return Entities(users=users, items=items, rows=rows, set_aside=tuple(set_aside))


def write_entities(frame: DataFrame, table: Table, lake: Lake, ds: date, record: Step) -> None:
    """Replace the table's partition of `ds`, and note its rows as progress."""
    rows = write_partition(lake, table, ds, frame)
    record.progress(f"{rows:,} {table.name}")


def _entities(
    source: SourceFolder, file: Users | Items, table: Table, set_aside: list[str]
) -> tuple[DataFrame, Counts]:
    names: dict[str, str | None]
    if isinstance(file, Users):
        needed, names = of_users(file), {"user_id": file.user_id}
    else:
        needed, names = of_items(file), {"item_id": file.item_id, "title": file.title}
    path, [key] = source.path / file.file, table.key
    read = read_file(source, file, needed)
    check_plain(read, [name for name in names.values() if name is not None])
    # Materialised: interactions are checked against these rows, even if the file changes.
    raw = source.materialise(read.rows)
    _check_lists(raw, file.features, path)
    rows = _check(read, raw, file, set_aside)
    frame = entities(raw.where(_counts(needed[0])), table, names, file.features)
    faulty = frame.groupBy(key).count().where(F.col(key).isNull() | (F.col("count") > 1))
    examples = [row[key] for row in collected(faulty.orderBy(key).limit(5))]
    if examples:
        raise UserError(
            f"{path}: {key} is empty or repeated, for example {examples}; "
            "expected one row per id. Correct the file."
        )
    kept = frame.where(is_storable_id(F.col(key)))
    if "title" in kept.columns:
        title = F.when(is_storable_text(F.col("title")), F.col("title"))
        kept = kept.withColumn("title", title)
    return kept, rows


def _counts(key: str) -> Column:
    """Whether a row is one of an entity: a broken row that has an id counts with what it has."""
    return F.col(f"{ORIGIN}.is_whole") | (F.coalesce(id_text(key), F.lit("")) != "")


def _check(read: Reading, raw: DataFrame, file: Users | Items, set_aside: list[str]) -> Counts:
    """The counts of the rows, in one aggregation: rows materialised against rows read."""
    key, title = (file.user_id, None) if isinstance(file, Users) else (file.item_id, file.title)
    flags = list(dict.fromkeys(name for each in file.features.values() for name in each.flags))
    odd = [F.max(F.when(is_set(column(name)).isNull(), column(name))) for name in flags]
    counts = _counts(key)
    bad_title = ~is_storable_text(column(title)) if title else F.lit(False)
    lists = lists_of(raw)
    bad_values = (
        has_unstorable(each, is_list=each.column in lists) for each in file.features.values()
    )
    by_file = collected(
        raw.groupBy(F.col(f"{ORIGIN}.file").alias("_file")).agg(
            F.count("*").alias("_rows"),
            F.count_if(~F.col(f"{ORIGIN}.is_whole")).alias("_broken"),
            F.count_if(~counts).alias(_WITHOUT_ID),
            F.count_if(counts & ~is_storable_id(id_text(key))).alias(_UNSTORABLE),
            F.count_if(counts & bad_title).alias("_titles"),
            F.count_if(counts & reduce(or_, bad_values, F.lit(False))).alias("_values"),
            *(value.alias(f"_{n}") for n, value in enumerate(odd)),
        )
    )
    arrived = {row["_file"]: row["_rows"] for row in by_file}
    rows = balance.check(read.tally, arrived, read.what)
    if not by_file:
        raise UserError(f"{read.what} has no rows; expected one for each {key}. Fill the file.")
    for n, name in enumerate(flags):
        if found := [row[f"_{n}"] for row in by_file if row[f"_{n}"] is not None]:
            raise UserError(
                f"{read.what}: the flag {name} is {found[0]!r} in some row; expected 1 or 0, true "
                "or false, yes or no. Correct the file, or make the column a feature of its own."
            )
    sums = {name: sum(row[name] for row in by_file) for name in _COUNTED}
    set_aside += _notes(read.what, key, sums)
    for row in by_file:
        left_out = {rule: row[rule] for rule in _RULES if row[rule]}
        kept = row["_rows"] - sum(left_out.values())
        rows[row["_file"]] |= {**left_out, KEPT: kept}
    return rows


def _notes(what: str, key: str, rows: Mapping[str, int]) -> Iterator[str]:
    """Sentences about rows that do not count, or count without some of their values."""
    if broken := rows["_broken"]:
        yield (
            f"{what}: {broken:,} rows have more or fewer columns than the file, or a line "
            f"break within quotes; {rows[_WITHOUT_ID]:,} of them have no {key} and are left out. "
            "If quoted values go over several lines, say multiline = true in the dataset spec"
        )
    if count := rows[_UNSTORABLE]:
        yield f"{what}: {count:,} rows left out, whose {key} has {_TOO_MUCH}"
    if count := rows["_titles"]:
        yield f"{what}: {count:,} titles left out, which have U+0000"
    if count := rows["_values"]:
        yield f"{what}: values of {count:,} rows left out, which have {_TOO_MUCH}"


def _check_lists(raw: DataFrame, features: Mapping[str, Feature], path: Path) -> None:
    lists = lists_of(raw)
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
