"""A query on the warehouse for people without a client: a table on the terminal, or a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from jobs.tools.text_table import text_table
from jobs.warehouse import open_reader
from schemas.errors import UserError
from schemas.run.settings import Settings

_SHOWN_ROWS = 100
_WRITERS: dict[str, Callable[[Any, pa.Schema], csv.CSVWriter | pq.ParquetWriter]] = {
    ".csv": csv.CSVWriter,
    ".parquet": pq.ParquetWriter,
}


def run(settings: Settings, sql: str, to: Path | None) -> None:
    """Print the rows that `sql` gives, or write all of them to the file `to`."""
    if to is not None and to.suffix not in _WRITERS:
        raise UserError(
            f"--to is {to}; expected a name that ends in {' or '.join(_WRITERS)}, which says what "
            "to write."
        )
    if to is not None and not to.parent.is_dir():
        raise UserError(f"--to is {to}; expected a name in a folder that exists: make {to.parent}.")
    with open_reader(settings.warehouse) as connection:
        try:
            with connection.batches(sql) as rows:
                if rows is None:
                    raise UserError(f"{sql!r} gives no rows; expected a SELECT.")
                if to is None:
                    _show(_plain(rows))
                else:
                    _write(_plain(rows), to)
        except UserError as error:
            raise UserError(
                f"{error}. docs/tables.md has all tables and views, docs/analysts.md has example "
                "queries."
            ) from None


def _plain(rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Without types that only one engine has: PostgreSQL's `numeric`, as of averages and sums, is
    a number of floating point, and any other the text that stands for it."""
    schema = pa.schema([pa.field(field.name, _plain_type(field.type)) for field in rows.schema])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            columns = [
                _plain_column(column, field.type)
                for column, field in zip(batch.columns, schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _plain_type(of: pa.DataType) -> pa.DataType:
    if not isinstance(of, pa.OpaqueType):
        return of
    return pa.float64() if of.type_name == "numeric" else of.storage_type


def _plain_column(column: Any, of: pa.DataType) -> Any:
    return column.storage.cast(of) if isinstance(column.type, pa.OpaqueType) else column


def _show(rows: pa.RecordBatchReader) -> None:
    found = list(islice(_tuples(rows), _SHOWN_ROWS + 1))
    print(text_table(rows.schema.names, found[:_SHOWN_ROWS]))
    if len(found) > _SHOWN_ROWS:
        print(f"\n  the first {_SHOWN_ROWS} rows; --to FILE.csv or --to FILE.parquet has all")


def _tuples(rows: pa.RecordBatchReader) -> Iterator[tuple[object, ...]]:
    for batch in rows:
        columns = [column.to_pylist() for column in batch.columns]
        yield from zip(*columns, strict=True)


def _can_hold(suffix: str, field: pa.Field[Any]) -> bool:
    """Whether such a file can hold the column: Arrow itself is asked, by a file with a null."""
    schema = pa.schema([field.with_nullable(True)])
    try:
        with _WRITERS[suffix](pa.BufferOutputStream(), schema) as writer:
            writer.write(pa.table([pa.nulls(1, field.type)], schema=schema))
    except pa.ArrowException:
        return False
    return True


def _write(rows: pa.RecordBatchReader, to: Path) -> None:
    """Batch by batch, beside the file and then in its place."""
    if odd := [field for field in rows.schema if not _can_hold(to.suffix, field)]:
        casts = ", ".join(f"CAST({field.name} AS VARCHAR)" for field in odd)
        fits_parquet = all(_can_hold(".parquet", field) for field in odd)
        raise UserError(
            f"{to} cannot hold {', '.join(f'{f.name} ({f.type})' for f in odd)}; expected plain "
            f"columns. Ask for them as text, {casts}"
            + (", or write a .parquet file" if fits_parquet else "")
        )
    draft, written = to.with_name(f".{to.name}.draft"), 0
    try:
        with _WRITERS[to.suffix](draft, rows.schema) as writer:
            for batch in rows:
                writer.write(pa.Table.from_batches([batch]))
                written += batch.num_rows
        draft.replace(to)
    finally:
        draft.unlink(missing_ok=True)
    print(f"{written:,} rows in {to}")
