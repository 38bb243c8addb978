"""A connection to the warehouse by ADBC: rows as tuples or record batches, errors translated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import adbc_driver_duckdb
import pyarrow as pa
from adbc_driver_manager import dbapi
from adbc_driver_postgresql import StatementOptions
from adbc_driver_postgresql import dbapi as postgresql

from jobs.warehouse.errors import translated
from schemas.errors import UserError
from schemas.warehouse.stored import DATA_SCHEMA
from schemas.warehouse.uri import DUCKDB, POSTGRESQL, WarehouseUri

# Of a new DuckDB file, which every client from that version on can read. DuckDB's own default is
# its latest: clients of the major version before could not open the file at all.
STORAGE_VERSION = "v1.0.0"
# Rows come through Arrow, which says in its own words what the engine finds while it makes them.
_READING = (dbapi.Error, pa.ArrowException, OSError)


class Connection:
    """One session, in a transaction from its first statement to `commit` or `rollback`.

    Parameters are `$1`, `$2`, ...: values never become part of a statement's text. Errors of the
    driver reach the caller as `jobs.warehouse.errors` translates them.
    """

    def __init__(
        self, uri: WarehouseUri, *, read_only: bool = False, shown: WarehouseUri | None = None
    ) -> None:
        self.uri = shown or uri  # in messages
        with self._explaining():
            self._session = _connect(uri, read_only=read_only)
        # Neither the machine's zone nor the server's: times are read, shown and compared in UTC.
        self.execute("SET TimeZone = 'UTC'")
        self.commit()  # PostgreSQL would take it back with the first rollback

    def execute(self, sql: str, *parameters: object) -> None:
        """Run a statement and drop its rows; raises our errors instead of the driver's."""
        self.rows(sql, *parameters)

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows that a statement gives; none if it gives none."""
        with self._explaining(_READING), self._session.cursor() as cursor:
            if self.uri.engine == POSTGRESQL:  # COPY streams, and knows nothing but SELECT
                cursor.adbc_statement.set_options(**{StatementOptions.USE_COPY.value: "false"})
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def batches(self, sql: str) -> Iterator[pa.RecordBatchReader | None]:
        """The rows as they come; None when the text holds no statement that gives any."""
        with self._session.cursor() as cursor:
            with self._explaining():
                cursor.execute(sql)
                try:
                    gives_rows = cursor.description is not None
                except ValueError:  # DuckDB, of nothing but a comment
                    gives_rows = False
                rows = cursor.fetch_record_batch() if gives_rows else None
            yield rows if rows is None else self._explained(rows)

    def load(self, table: str, rows: pa.RecordBatchReader) -> int:
        """Append to a table of the rows' schema; how many they were.

        The columns must be the table's, in its order and its types: DuckDB would match them by
        position without a word.
        """
        with self._explaining(), self._session.cursor() as cursor:
            return cursor.adbc_ingest(table, rows, mode="append", db_schema_name=DATA_SCHEMA)

    def commit(self) -> None:
        """End the transaction and keep its changes; the next statement begins another."""
        with self._explaining():
            self._session.commit()

    def rollback(self) -> None:
        """End the transaction and undo its changes; the next statement begins another."""
        with self._explaining():
            self._session.rollback()

    def close(self) -> None:
        """Close the session; an open transaction is rolled back."""
        with self._explaining():
            self._session.close()

    def _explained(self, rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
        def batches() -> Iterator[pa.RecordBatch]:
            with self._explaining(_READING):
                yield from rows

        return pa.RecordBatchReader.from_batches(rows.schema, batches())

    @contextmanager
    def _explaining(self, of: tuple[type[Exception], ...] = (dbapi.Error,)) -> Iterator[None]:
        try:
            yield
        except of as error:
            # Not `from error`: what the driver says may hold a password.
            raise translated(error, self.uri) from None


@contextmanager
def opened(
    uri: WarehouseUri, *, read_only: bool = False, shown: WarehouseUri | None = None
) -> Iterator[Connection]:
    """A connection that is closed at the end, and rolled back if the block did not commit."""
    connection = Connection(uri, read_only=read_only, shown=shown)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def open_reader(uri: WarehouseUri) -> Iterator[Connection]:
    """A connection that only reads; a `UserError` when there is nothing to read."""
    nothing = UserError(f"the warehouse {uri} does not exist yet; run make nightly first.")
    if uri.engine == DUCKDB and not uri.path.exists():
        raise nothing
    with opened(uri, read_only=True) as connection:
        if uri.engine == POSTGRESQL:
            connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            if connection.rows("SELECT to_regclass('coldstart.publications')") == [(None,)]:
                raise nothing
            connection.commit()
        yield connection


def _connect(uri: WarehouseUri, *, read_only: bool) -> dbapi.Connection:
    if uri.engine == DUCKDB:
        mode = "READ_ONLY" if read_only else "READ_WRITE"
        return dbapi.connect(
            driver=adbc_driver_duckdb.driver_path(),
            entrypoint="duckdb_adbc_init",
            db_kwargs={
                "path": str(uri.path),
                "access_mode": mode,
                "storage_compatibility_version": STORAGE_VERSION,
            },
        )
    session: dbapi.Connection = postgresql.connect(uri.text)
    return session
