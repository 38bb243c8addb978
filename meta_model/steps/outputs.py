"""What the steps give to the lake: the contracts' tables, in the contracts' order and types."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.lake import Lake
from schemas.projections.arrow import arrow_schema
from schemas.run.artefact import Provenance
from schemas.tables.columns import Table


def write(lake: Lake, table: Table, ds: date, parts: Iterable[pa.Table]) -> int:
    """Replace the partition with the parts' rows, streamed into one file; returns their number."""
    rows = 0
    with lake.replacing(table.name, ds) as draft:
        with pq.ParquetWriter(draft.path / "part-0.parquet", arrow_schema(table)) as writer:
            for part in parts:
                writer.write_table(part)
                rows += len(part)
        draft.rows = rows
    return rows


def contract_table(
    table: Table, provenance: Provenance, rows: int, columns: dict[str, Any]
) -> pa.Table:
    """The columns in the contract's order and types, beside those of the model and its run."""
    schema = arrow_schema(table)
    known = {
        "model": pa.repeat(provenance.model, rows),
        "model_version": pa.repeat(provenance.model_version, rows),
        "run_id": pa.repeat(str(provenance.run_id), rows),
        **columns,
    }
    arrays = [_cast(known[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _cast(values: Any, data_type: pa.DataType) -> Any:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values.cast(data_type)
    return pa.array(values).cast(data_type) if len(values) else pa.array([], data_type)
