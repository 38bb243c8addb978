"""The fastest that an engine loads the same rows: into a bare table, without keys or checks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.inputs.warehouse_rows import DS
from jobs.warehouse.connection import opened
from schemas.projections.arrow import arrow_schema, read_batches
from schemas.tables.products import COLD_USER_SCORES, warehouse_table
from schemas.warehouse.dialects import DIALECTS
from schemas.warehouse.stored import DATA_SCHEMA
from schemas.warehouse.uri import DUCKDB, WarehouseUri

_TABLE = warehouse_table(COLD_USER_SCORES)  # as analysts see it: ds and the run in every row


def seconds(uri: WarehouseUri, partition: Path, folder: Path) -> float:
    """PostgreSQL: binary COPY of the rows. DuckDB: its own insert from Arrow, in a file."""
    columns = ", ".join(f"{c.name} {DIALECTS[uri.engine].types[c.type]}" for c in _TABLE.columns)
    rows = pa.RecordBatchReader.from_batches(arrow_schema(_TABLE), _batches(partition))
    if uri.engine == DUCKDB:
        file = folder / "reference.duckdb"
        started = time.perf_counter()
        with duckdb.connect(str(file)) as connection:
            connection.execute(f"CREATE TABLE bare ({columns})")
            connection.execute("INSERT INTO bare SELECT * FROM rows")
            connection.execute("CHECKPOINT")
        took = time.perf_counter() - started
        file.unlink()
        return took
    with opened(uri) as connection:
        connection.execute(f"CREATE TABLE {DATA_SCHEMA}.reference ({columns})")
        connection.commit()
        started = time.perf_counter()
        connection.load("reference", rows)
        connection.commit()
        took = time.perf_counter() - started
        connection.execute(f"DROP TABLE {DATA_SCHEMA}.reference")
        connection.commit()
    return took


def _batches(partition: Path) -> Iterator[pa.RecordBatch]:
    schema = arrow_schema(_TABLE)
    for batch in read_batches(COLD_USER_SCORES, partition, COLD_USER_SCORES.column_names):
        days = pa.repeat(pa.scalar(DS, pa.date32()), batch.num_rows)
        yield pa.RecordBatch.from_arrays([days, *batch.columns], schema=schema)
