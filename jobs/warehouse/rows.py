"""A product's lake partition as the rows that the warehouse stores, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from schemas.projections.arrow import RowGroup, arrow_schema, read_row_groups, row_groups
from schemas.tables.columns import Table
from schemas.tables.products import DS
from schemas.warehouse.stored import PUBLICATION, STORED_PRODUCTS


@dataclass(frozen=True, kw_only=True)
class StoredRows:
    """The rows of `product` in `partition`, under the number of their publication."""

    product: Table
    partition: Path
    ds: date
    publication: int

    @cached_property
    def groups(self) -> tuple[RowGroup, ...]:
        """The row groups of the partition's files; the files' statistics suffice."""
        return row_groups(self.product, self.partition)

    def count(self) -> int:
        """Rows by the files' metadata; no data is read."""
        return sum(group.rows for group in self.groups)

    def streams(self, number: int) -> list[pa.RecordBatchReader]:
        """All rows, in `number` parts of about the same size, each in the lake's order."""
        schema = arrow_schema(STORED_PRODUCTS[self.product.name])
        bounds = [len(self.groups) * part // number for part in range(number + 1)]
        return [
            pa.RecordBatchReader.from_batches(schema, self._batches(schema, self.groups[start:end]))
            for start, end in pairwise(bounds)
        ]

    def _batches(self, schema: pa.Schema, groups: Sequence[RowGroup]) -> Iterator[pa.RecordBatch]:
        constants: dict[str, Any] = {
            PUBLICATION.name: pa.scalar(self.publication, pa.int64()),
            DS.name: pa.scalar(self.ds, pa.date32()),
        }
        own = [name for name in schema.names if name not in constants]
        for batch in read_row_groups(self.product, groups, own):
            columns = dict(zip(own, batch.columns, strict=True))
            for name, value in constants.items():
                columns[name] = pa.repeat(value, batch.num_rows)
            arrays = [columns[name] for name in schema.names]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
