"""A product's lake partition as the rows that the warehouse stores, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.arrow import arrow_schema, partition_files
from schemas.columns import Table
from schemas.products import DS
from schemas.stored import PUBLICATION, STORED_PRODUCTS

_BATCH_ROWS = 65_536
_Piece = tuple[Path, int]  # a file and one of its row groups


@dataclass(frozen=True, kw_only=True)
class StoredRows:
    """The rows of `product` in `partition`, under the number of their publication."""

    product: Table
    partition: Path
    ds: date
    publication: int

    @property
    def schema(self) -> pa.Schema:
        return arrow_schema(STORED_PRODUCTS[self.product.name])

    def count(self) -> int:
        files = partition_files(self.product, self.partition)
        return sum(pq.read_metadata(file).num_rows for file in files)

    def streams(self, number: int) -> list[pa.RecordBatchReader]:
        """All rows, in `number` parts of about the same size, each in the lake's order."""
        pieces = [
            (file, group)
            for file in partition_files(self.product, self.partition)
            for group in range(pq.read_metadata(file).num_row_groups)
        ]
        bounds = [len(pieces) * part // number for part in range(number + 1)]
        return [
            pa.RecordBatchReader.from_batches(self.schema, self._batches(pieces[start:end]))
            for start, end in pairwise(bounds)
        ]

    def _batches(self, pieces: Sequence[_Piece]) -> Iterator[pa.RecordBatch]:
        schema = self.schema
        constants: dict[str, Any] = {
            PUBLICATION.name: pa.scalar(self.publication, pa.int64()),
            DS.name: pa.scalar(self.ds, pa.date32()),
        }
        own = [name for name in schema.names if name not in constants]
        types = pa.schema([schema.field(name) for name in own])
        for file, group in pieces:
            with pq.ParquetFile(file) as opened:
                for batch in opened.iter_batches(_BATCH_ROWS, row_groups=[group], columns=own):
                    columns = dict(zip(own, batch.select(own).cast(types).columns, strict=True))
                    for name, value in constants.items():
                        columns[name] = pa.repeat(value, batch.num_rows)
                    arrays = [columns[name] for name in schema.names]
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)
