"""Contracts as the DDL of the warehouse: tables, the views analysts use, comments on all of them.

No table has a primary key, although each has a key: DuckDB loads ten times slower with one (5.5 s
against 0.5 s for 5 million rows). That keys are unique is checked before publishing, by the suites
of `schemas.expectations`, and rows come in whole ds only.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.columns import Column, Table, Type
from schemas.products import WAREHOUSE_TABLES
from schemas.views import VIEWS, View

SCHEMA = "coldstart"  # as the SQL of views says it

DUCKDB_TYPES: dict[Type, str] = {
    Type.STRING: "VARCHAR",
    Type.BOOL: "BOOLEAN",
    Type.INT32: "INTEGER",
    Type.INT64: "BIGINT",
    Type.FLOAT64: "DOUBLE",
    Type.DATE: "DATE",
    Type.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    Type.LIST_STRING: "VARCHAR[]",
    Type.LIST_INT32: "INTEGER[]",
    Type.LIST_FLOAT32: "FLOAT[]",
    Type.LIST_TIMESTAMP: "TIMESTAMP WITH TIME ZONE[]",
}


def identifier(name: str) -> str:
    """A name as SQL: the only way in which one gets into a statement."""
    return '"' + name.replace('"', '""') + '"'


def qualified(name: str) -> str:
    return f"{identifier(SCHEMA)}.{identifier(name)}"


def column_list(table: Table) -> str:
    return ", ".join(identifier(name) for name in table.column_names)


def statements() -> Iterator[str]:
    """What brings any warehouse of this version, an empty one too, to the contracts."""
    yield f"CREATE SCHEMA IF NOT EXISTS {identifier(SCHEMA)}"
    for table in WAREHOUSE_TABLES:
        yield _create_table(table)
        yield _comment("TABLE", qualified(table.name), table.description)
        for column in table.columns:
            name = f"{qualified(table.name)}.{identifier(column.name)}"
            yield _comment("COLUMN", name, column.description)
    for view in VIEWS:
        yield _create_view(view)
        yield _comment("VIEW", qualified(view.name), view.table.description)
        for column in view.table.columns:
            name = f"{qualified(view.name)}.{identifier(column.name)}"
            yield _comment("COLUMN", name, column.description)


def _create_table(table: Table) -> str:
    columns = ",\n    ".join(_column(column) for column in table.columns)
    return f"CREATE TABLE IF NOT EXISTS {qualified(table.name)} (\n    {columns}\n)"


def _column(column: Column) -> str:
    null = "" if column.nullable else " NOT NULL"
    return f"{identifier(column.name)} {DUCKDB_TYPES[column.type]}{null}"


def _create_view(view: View) -> str:
    return f"CREATE OR REPLACE VIEW {qualified(view.name)} AS\n{view.select}"


def _comment(kind: str, name: str, text: str) -> str:
    literal = "'" + text.replace("'", "''") + "'"  # DDL takes no bound parameters
    return f"COMMENT ON {kind} {name} IS {literal}"
