"""The source's users and items in the lake, as a night finds them, attributes as lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.partitions import write_partition
from jobs.rows import collected, only_row
from jobs.sources.needed_columns import of_items, of_users
from jobs.sources.reading import altered, read_file
from jobs.transforms.entities import entities, users_of
from jobs.transforms.source import is_storable_id, is_storable_text
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
    spark: SparkSession, source: Path, spec: DatasetSpec, visible: DataFrame | None = None
) -> Entities:
    """Users and items, checked: one row per id, as many as the spec expects.

    A source without a file of users has those of its interactions up to ds, `visible`.
    """
    set_aside: list[str] = []
    if spec.users is None:
        assert visible is not None, "the spec of a file a day names a file of users"
        users = users_of(visible, tables.users(spec)).localCheckpoint()
    else:
        users = _entities(spark, source, spec.users, tables.users(spec), set_aside)
        _check_number(users, tables.users(spec), spec, source)
    items = _entities(spark, source, spec.items, tables.items(spec), set_aside)
    _check_number(items, tables.items(spec), spec, source)
    return Entities(users=users, items=items, set_aside=tuple(set_aside))


def write_entities(frame: DataFrame, table: Table, lake: Lake, ds: date, record: Step) -> None:
    rows = write_partition(lake, table, ds, frame)
    record.progress(f"{rows:,} {table.name}")


def _entities(
    spark: SparkSession,
    source: Path,
    file: Users | Items,
    table: Table,
    set_aside: list[str],
) -> DataFrame:
    names: dict[str, str | None]
    if isinstance(file, Users):
        needed, names = of_users(file), {"user_id": file.user_id}
    else:
        needed, names = of_items(file), {"item_id": file.item_id, "title": file.title}
    raw = read_file(spark, source, file, needed)
    _check_lists(raw, file.features, source / file.file)
    # A checkpoint: interactions are held against what is written, whatever becomes of the file.
    frame = entities(raw, table, names, file.features).localCheckpoint()
    [key] = table.key
    faulty = frame.groupBy(key).count().where(F.col(key).isNull() | (F.col("count") > 1))
    examples = [row[key] for row in collected(faulty.orderBy(key).limit(5))]
    if examples:
        raise UserError(
            f"{source / file.file}: {key} is empty or repeated, for example {examples}; "
            "expected one row per id. Mend the file."
        )
    return _storable(frame, key, source / file.file, set_aside)


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
    return kept.localCheckpoint()


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
