"""The embedded warehouse: one DuckDB file, changed by putting a new file in its place.

A DuckDB file that is open for reading cannot be written, so a change is made in a copy beside it
and moved over it in one rename: who has the old file open keeps reading it, who opens it next sees
the new one, and a kill or a full disk at any moment leaves the old one whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from schemas import ddl
from schemas.columns import Table, differences
from schemas.errors import UserError
from schemas.lake import exclusive_lock, fsync
from schemas.products import DS, WAREHOUSE_TABLES


def open_reader(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that only reads; a `UserError` when there is nothing to read."""
    if not path.exists():
        raise UserError(f"the warehouse {path} does not exist yet; run make nightly first.")
    try:
        return duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        raise UserError(
            f"the warehouse {path} cannot be opened: {error}. If another process has it open "
            "for writing, close it there: analysts open it with read_only=True."
        ) from error


@contextmanager
def replacing(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """One transaction on the warehouse, seen by others when the block ends well, else by no one.

    The schema of `schemas.ddl` is there. Waits while another process changes the same warehouse.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    with exclusive_lock(path.with_name(f".{path.name}.lock")):
        _remove(draft)  # what a killed run left
        try:
            if path.exists():
                _copy(path, draft)
            with duckdb.connect(str(draft)) as connection:
                connection.execute("BEGIN")
                _create(connection, path)
                yield connection
                connection.execute("COMMIT")
                connection.execute("CHECKPOINT")
            fsync(draft)
            _write_ahead_log(path).unlink(missing_ok=True)  # the copy has absorbed it
            draft.replace(path)
            fsync(path.parent)
        finally:
            _remove(draft)


def replace_rows(
    connection: duckdb.DuckDBPyConnection, table: Table, ds: date, rows: pa.Table
) -> None:
    """Put `rows` (the table's columns without `ds`) in the place of the rows of `ds`."""
    name, columns = ddl.qualified(table.name), ddl.column_list(table)
    ds_column = ddl.identifier(DS.name)
    values = pa.repeat(pa.scalar(ds, pa.date32()), rows.num_rows)
    connection.execute(f"DELETE FROM {name} WHERE {ds_column} = ?", [ds])  # noqa: S608
    connection.register("new_rows", rows.add_column(0, DS.name, values))
    # By name: DuckDB would match columns by position without a word.
    connection.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM new_rows")  # noqa: S608
    connection.unregister("new_rows")


def _create(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    types = {name: type_.value for type_, name in ddl.DUCKDB_TYPES.items()}
    problems = []
    for table in WAREHOUSE_TABLES:
        found = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
            [ddl.SCHEMA, table.name],
        ).fetchall()
        if found:  # else the table is new
            columns = [(name, types.get(type_, type_)) for name, type_ in found]
            problems += [f"{table.name}: {problem}" for problem in differences(table, columns)]
    if problems:
        raise UserError(
            f"the warehouse {path} was made by another version: {'; '.join(problems)}. "
            "Move it away, or set COLDSTART_WAREHOUSE to another file, and publish again."
        )
    for statement in ddl.statements():
        connection.execute(statement)


def _copy(path: Path, draft: Path) -> None:
    """Copy the file and what a killed writer left beside it, while no writer can open it."""
    with open_reader(path):
        shutil.copyfile(path, draft)
        if _write_ahead_log(path).exists():
            shutil.copyfile(_write_ahead_log(path), _write_ahead_log(draft))


def _write_ahead_log(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _remove(draft: Path) -> None:
    draft.unlink(missing_ok=True)
    _write_ahead_log(draft).unlink(missing_ok=True)
