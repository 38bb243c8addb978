"""The source's users and items in the lake, as a night finds them, attributes as lists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.partitions import write_partition
from jobs.sources.needed_columns import of_items, of_users
from jobs.sources.reading import altered, read_file
from jobs.transforms.entities import entities, users_of
from schemas import tables
from schemas.columns import Table
from schemas.dataset_spec import DatasetSpec, Feature, Items, Users
from schemas.errors import UserError
from schemas.journal import Step
from schemas.lake import Lake


def read_entities(
    spark: SparkSession, source: Path, spec: DatasetSpec, visible: DataFrame | None = None
) -> tuple[DataFrame, DataFrame]:
    """Users and items, checked: one row per id, as many as the spec expects.

    A source without a file of users has those of its interactions up to ds, `visible`.
    """
    if spec.users is None:
        assert visible is not None, "the spec of a file a day names a file of users"
        users = users_of(visible, tables.users(spec)).localCheckpoint()
    else:
        users = _entities(spark, source, spec.users, tables.users(spec))
        _check_number(users, tables.users(spec), spec, source)
    items = _entities(spark, source, spec.items, tables.items(spec))
    _check_number(items, tables.items(spec), spec, source)
    return users, items


def write_entities(frame: DataFrame, table: Table, lake: Lake, ds: date, record: Step) -> None:
    rows = write_partition(lake, table, ds, frame)
    record.progress(f"{rows:,} {table.name}")


def _entities(spark: SparkSession, source: Path, file: Users | Items, table: Table) -> DataFrame:
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
    examples = [row[key] for row in faulty.orderBy(key).limit(5).collect()]
    if examples:
        raise UserError(
            f"{source / file.file}: {key} is empty or repeated, for example {examples}; "
            "expected one row per id. Mend the file."
        )
    return frame


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
