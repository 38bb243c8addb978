"""Contracts as Arrow schemas, and the check that a table read or written keeps its contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import UserError
from schemas.tables.columns import Table, Type, differences

_BATCH_ROWS = 65_536

ARROW_TYPES: dict[Type, pa.DataType] = {
    Type.STRING: pa.string(),
    Type.BOOL: pa.bool_(),
    Type.INT32: pa.int32(),
    Type.INT64: pa.int64(),
    Type.FLOAT64: pa.float64(),
    Type.DATE: pa.date32(),
    Type.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    Type.LIST_STRING: pa.list_(pa.string()),
    Type.LIST_INT32: pa.list_(pa.int32()),
    Type.LIST_FLOAT32: pa.list_(pa.float32()),
    Type.LIST_TIMESTAMP: pa.list_(pa.timestamp("us", tz="UTC")),
}


def arrow_schema(table: Table) -> pa.Schema:
    """The contract as Arrow checks it: names, order, types, nullability."""
    return pa.schema(
        pa.field(column.name, ARROW_TYPES[column.type], nullable=column.nullable)
        for column in table.columns
    )


def check_arrow(table: Table, found: pa.Schema, where: str) -> None:
    """Raise a `UserError` that lists every difference between `found` and the contract."""
    problems = differences(table, [(field.name, _type_name(field.type)) for field in found])
    if problems:
        raise UserError(
            f"{where} does not keep the contract of {table.name}: {'; '.join(problems)}. "
            "It was written by other code; run the step that makes it again."
        )


def read_partition(table: Table, partition: Path) -> pa.Table:
    """All rows of a lake partition, in the contract's column order and types."""
    files = [str(file) for file in partition_files(table, partition)]
    return pq.ParquetDataset(files, partitioning=None).read().cast(arrow_schema(table))


class RowGroup(NamedTuple):
    """A part of a lake partition: the row group `number` of a file, and how many rows it has."""

    file: Path
    number: int
    rows: int


def row_groups(table: Table, partition: Path) -> tuple[RowGroup, ...]:
    """All of a lake partition, in order; its files keep the contract."""
    found = ((file, pq.read_metadata(file)) for file in partition_files(table, partition))
    return tuple(
        RowGroup(file, number, metadata.row_group(number).num_rows)
        for file, metadata in found
        for number in range(metadata.num_row_groups)
    )


def read_row_groups(
    table: Table, groups: Iterable[RowGroup], columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Some columns of the row groups in the contract's types, without all rows in memory."""
    schema = pa.schema([arrow_schema(table).field(name) for name in columns])
    for path, of_file in groupby(groups, key=lambda group: group.file):
        numbers = [group.number for group in of_file]
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH_ROWS, row_groups=numbers, columns=list(columns)):
                yield batch.select(columns).cast(schema)


def read_batches(table: Table, partition: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The same of a whole lake partition."""
    return read_row_groups(table, row_groups(table, partition), columns)


def most_frequent(table: Table, partition: Path, column: str) -> list[tuple[str | None, int]]:
    """The column's values and how many rows have each, the most frequent first."""
    counts: Counter[str | None] = Counter()
    for batch in read_batches(table, partition, [column]):
        counts.update(batch[column].to_pylist())
    return sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))


def partition_files(table: Table, partition: Path) -> tuple[Path, ...]:
    """The Parquet files of a lake partition, each of which keeps the contract."""
    files = tuple(sorted(partition.glob("*.parquet")))
    for file in files:
        check_arrow(table, pq.read_schema(file), str(file))
    return files


def _type_name(data_type: pa.DataType) -> str:
    for name, arrow_type in ARROW_TYPES.items():
        if data_type == arrow_type or _same_list(data_type, arrow_type):
            return name.value
    return str(data_type)


def _same_list(left: pa.DataType, right: pa.DataType) -> bool:
    """Lists are equal when their elements are, whatever the writer called the element's field."""
    return (
        pa.types.is_list(left) and pa.types.is_list(right) and left.value_type == right.value_type
    )
