"""A publication: rows loaded beside all others, then one row that makes them a day's.

This module works with every engine. `partitions` and `duckdb_file` have better ways for two.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs.warehouse.connection import Connection
from jobs.warehouse.rows import StoredRows
from schemas.projections.arrow import arrow_schema
from schemas.tables.columns import Table
from schemas.tables.products import DS
from schemas.warehouse import ddl
from schemas.warehouse.stored import PUBLICATION, STORED_PRODUCTS, STORED_PUBLICATIONS

_POINTERS = ddl.stored(STORED_PUBLICATIONS.name)


class Publication:
    """One session's changes: nothing that it loads is seen before `activate`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.number = time.time_ns() // 1000

    def load(self, product: Table, ds: date, partition: Path) -> int:
        """Bring a lake partition in, batch by batch; how many rows it has."""
        rows = self.rows_of(product, ds, partition)
        [stream] = rows.streams(1)
        self.connection.load(product.name, stream)
        self.connection.commit()
        return rows.count()

    def rows_of(self, product: Table, ds: date, partition: Path) -> StoredRows:
        """The partition's rows as they are stored, under this publication's number."""
        return StoredRows(product=product, partition=partition, ds=ds, publication=self.number)

    @contextmanager
    def short_transaction(self) -> Iterator[None]:
        """One publication at a time is in it: what it reads of `publications` holds to its end."""
        self._lock()
        yield
        self.connection.commit()

    def published(self, ds: date) -> dict[str, Any] | None:
        """The row of `publications` for ds."""
        columns = ddl.identifiers(STORED_PUBLICATIONS.column_names)
        found = self.connection.rows(f"SELECT {columns} FROM {_POINTERS} WHERE ds = $1", ds)  # noqa: S608 - contracts' names
        return dict(zip(STORED_PUBLICATIONS.column_names, found[0], strict=True)) if found else None

    def activate(self, ds: date, row: Mapping[str, object]) -> None:
        """Make what was loaded the rows of ds."""
        self.unpublish([ds])
        values = [{**row, DS.name: ds, PUBLICATION.name: self.number}]
        rows = pa.Table.from_pylist(values, schema=arrow_schema(STORED_PUBLICATIONS))
        self.connection.load(STORED_PUBLICATIONS.name, rows.to_reader())

    def unpublish(self, days: Iterable[date]) -> None:
        """Remove the rows of `publications` of these days; `vacuum` removes their data."""
        for day in days:
            self.connection.execute(f"DELETE FROM {_POINTERS} WHERE ds = $1", day)  # noqa: S608 - a constant

    def vacuum(self) -> None:
        """Remove the rows of killed and of replaced publications, which nothing points to."""
        for name in STORED_PRODUCTS:
            self.connection.execute(
                f"DELETE FROM {ddl.stored(name)} WHERE publication NOT IN "  # noqa: S608 - contracts' names
                f"(SELECT publication FROM {_POINTERS})"
            )
        self.connection.commit()

    def _lock(self) -> None:
        """Engines whose sessions may meet wait for each other here."""
