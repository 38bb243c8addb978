"""PostgreSQL: a publication's rows of a product are a partition of their own.

A partition is filled, keyed and analysed while no reader knows of it, attached without locking
readers out, and dropped whole later, when nobody reads it. A row is swapped and not the partition,
because detaching a partition waits for all readers to leave (docs/adr/0017).
"""

from __future__ import annotations

import logging
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pyarrow as pa

from jobs.warehouse.connection import Connection, opened
from jobs.warehouse.publication import Publication
from schemas.errors import PassingError
from schemas.tables.columns import Table
from schemas.warehouse import ddl
from schemas.warehouse.stored import DATA_SCHEMA, STORED_PRODUCTS, STORED_PUBLICATIONS

log = logging.getLogger(__name__)

# A server works on one session with one core, and so does a driver.
_STREAMS = 2
_ROWS_WORTH_STREAMS = 200_000
_DRAIN_SECONDS = 1.0
_DROP_TRIES = 3
_PART = re.compile(rf"({'|'.join(STORED_PRODUCTS)})_(\d+)")


class PartitionedPublication(Publication):
    """While its session lives, an advisory lock on its number keeps others from vacuuming it."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        connection.execute("SELECT pg_advisory_lock($1)", self.number)
        connection.commit()

    def load(self, product: Table, ds: date, partition: Path) -> int:
        """Load into a partition of its own that no reader sees yet; returns the rows."""
        part, connection = f"{product.name}_{self.number}", self.connection
        connection.execute(
            f"CREATE TABLE {ddl.stored(part)} (LIKE {ddl.stored(product.name)} INCLUDING ALL)"
        )
        connection.commit()
        rows = self.rows_of(product, ds, partition)
        count = rows.count()
        streams = rows.streams(_STREAMS if count >= _ROWS_WORTH_STREAMS else 1)
        with ThreadPoolExecutor(len(streams)) as pool:
            list(pool.map(lambda stream: self._load_apart(part, stream), streams))
        connection.execute("SET LOCAL maintenance_work_mem = '256MB'")  # sort in memory
        for statement in ddl.indexes(product.name, part):
            connection.execute(statement)
        first, day = self.number, ddl.literal(str(ds))
        # The same condition as the bounds, so that attaching does not read every row.
        connection.execute(
            f"ALTER TABLE {ddl.stored(part)} ADD CHECK (ds = {day} AND publication = {first:d})"
        )
        connection.execute(f"ANALYZE {ddl.stored(part)}")
        connection.execute(
            f"ALTER TABLE {ddl.stored(product.name)} ATTACH PARTITION {ddl.stored(part)} "
            f"FOR VALUES FROM ({day}, {first:d}) TO ({day}, {first + 1:d})"
        )
        connection.commit()
        return count

    def _load_apart(self, part: str, stream: pa.RecordBatchReader) -> None:
        with opened(self.connection.uri) as connection:
            connection.load(part, stream)
            connection.commit()

    def vacuum(self) -> None:
        """Drop the partitions of no active publication, except those that are being loaded.

        A partition that a reader has locked stays for the next publication to drop.
        """
        numbers = f"SELECT publication FROM {ddl.stored(STORED_PUBLICATIONS.name)}"  # noqa: S608 - a constant
        published = {number for (number,) in self.connection.rows(numbers)}
        found = self.connection.rows(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = $1", DATA_SCHEMA
        )
        self.connection.commit()
        parts = {name: int(match[2]) for (name,) in found if (match := _PART.fullmatch(name))}
        for name, number in sorted(parts.items()):
            if number not in published and number != self.number:
                self._drop(name, number)

    def _drop(self, name: str, number: int) -> None:
        for _ in range(_DROP_TRIES):
            [(is_free,)] = self.connection.rows("SELECT pg_try_advisory_xact_lock($1)", number)
            # A run may have published it since the numbers were read, and ended.
            if not is_free or self._is_published(number):
                self.connection.rollback()
                return
            try:
                # Readers that arrive during the wait have to wait too, so the timeout is short.
                self.connection.execute("SET LOCAL lock_timeout = '50ms'")
                self.connection.execute(f"DROP TABLE IF EXISTS {ddl.stored(name)}")
                self.connection.commit()
                return
            except PassingError:
                self.connection.rollback()
                time.sleep(0.1)
        log.info("%s is being read; the next publication removes it", name)

    def _is_published(self, number: int) -> bool:
        name = ddl.stored(STORED_PUBLICATIONS.name)
        query = f"SELECT 1 FROM {name} WHERE publication = $1"  # noqa: S608 - a constant
        return bool(self.connection.rows(query, number))

    def _lock(self) -> None:
        self._drain_readers()
        self.connection.execute("SET LOCAL lock_timeout = '60s'")
        name = ddl.stored(STORED_PUBLICATIONS.name)
        self.connection.execute(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")

    def _drain_readers(self) -> None:
        """Wait until the statements that were planned before the partitions were attached begin.

        A statement plans with the partitions it knows and then takes its snapshot. If the swap
        fell between, the statement would see the new pointer and not the rows. Planning takes
        milliseconds. A session that holds its locks for longer has its snapshot already, or plans
        its next statement again.
        """
        begun = time.monotonic()
        planning = self._readers()
        while planning and time.monotonic() - begun < _DRAIN_SECONDS:
            time.sleep(0.01)
            planning &= self._readers()

    def _readers(self) -> set[str]:
        parents = ", ".join(
            f"{ddl.literal(ddl.stored(name))}::regclass" for name in STORED_PRODUCTS
        )
        found = self.connection.rows(
            "SELECT DISTINCT virtualtransaction FROM pg_locks WHERE pid <> pg_backend_pid() "  # noqa: S608 - contracts' names
            f"AND mode = 'AccessShareLock' AND relation IN ({parents}) "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        self.connection.rollback()
        return {transaction for (transaction,) in found}
