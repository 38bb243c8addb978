"""Contracts as the DDL of a warehouse: the rows' tables, the views analysts use, their comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schemas.tables.columns import Column, Table, Type
from schemas.tables.products import DS, PRODUCTS, PUBLICATIONS, warehouse_table
from schemas.warehouse.dialects import Dialect
from schemas.warehouse.stored import (
    DATA_SCHEMA,
    INDEXES,
    PUBLICATION,
    SCHEMA,
    STORED,
    STORED_PRODUCTS,
    view_of,
)
from schemas.warehouse.views import VIEWS, View


def identifier(name: str) -> str:
    """A name as SQL: the only way in which one gets into a statement."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL, for DDL, which takes no bound parameters."""
    return "'" + text.replace("'", "''") + "'"


def _qualified(name: str, schema: str = SCHEMA) -> str:
    return f"{identifier(schema)}.{identifier(name)}"


def stored(name: str) -> str:
    """A table that holds rows, as SQL."""
    return _qualified(name, DATA_SCHEMA)


def identifiers(names: Iterable[str]) -> str:
    """The names quoted, joined by commas, for a list of columns."""
    return ", ".join(map(identifier, names))


def tables(dialect: Dialect) -> Iterator[str]:
    """What makes the tables of an empty warehouse."""
    for table in STORED:
        yield _create_table(table, dialect)
        if dialect.has_keys and table.name not in STORED_PRODUCTS:  # those are keyed in their parts
            yield f"ALTER TABLE {stored(table.name)} ADD PRIMARY KEY ({identifiers(table.key)})"


def views_and_comments() -> Iterator[str]:
    """What brings the views and all comments of any warehouse to those of this version."""
    for table in STORED:
        yield from _comments("TABLE", DATA_SCHEMA, table)
    for view in _all_views():
        yield f"CREATE OR REPLACE VIEW {_qualified(view.name)} AS\n{view.select}"
        yield from _comments("VIEW", SCHEMA, view.table)


def indexes(product: str, part: str) -> Iterator[str]:
    """The key and the indexes of one publication's rows, the table `part`, once it is filled."""
    key = identifiers(STORED_PRODUCTS[product].key)
    yield f"ALTER TABLE {stored(part)} ADD PRIMARY KEY ({key})"
    for column in INDEXES.get(product, ()):
        yield f"CREATE INDEX ON {stored(part)} ({identifier(column)})"


def _all_views() -> Iterator[View]:
    for product in PRODUCTS:
        yield View(table=warehouse_table(product), select=view_of(product))
    publications = (
        f"SELECT {identifiers(PUBLICATIONS.column_names)} FROM {stored(PUBLICATIONS.name)}"  # noqa: S608 - contracts' names
    )
    yield View(table=PUBLICATIONS, select=publications)
    yield from VIEWS


def _create_table(table: Table, dialect: Dialect) -> str:
    columns = ",\n    ".join(_column(column, dialect) for column in table.columns)
    is_parted = dialect.has_partitions and table.name in STORED_PRODUCTS
    parted = (
        f" PARTITION BY RANGE ({identifiers((DS.name, PUBLICATION.name))})" if is_parted else ""
    )
    return f"CREATE TABLE {stored(table.name)} (\n    {columns}\n){parted}"


def _column(column: Column, dialect: Dialect) -> str:
    collation = dialect.collation if column.type is Type.STRING else ""
    null = "" if column.nullable else " NOT NULL"
    type_ = f"{dialect.types[column.type]}{collation}{null}"
    return " ".join([identifier(column.name), type_, *_check(column)])


def _check(column: Column) -> Iterator[str]:
    name, conditions = identifier(column.name), []
    if column.minimum is not None:
        conditions.append(f"{name} >= {column.minimum:g}")
    if column.maximum is not None:
        conditions.append(f"{name} <= {column.maximum:g}")
    if column.allowed is not None:
        conditions.append(f"{name} IN ({', '.join(literal(str(v)) for v in column.allowed)})")
    if conditions:
        yield f"CHECK ({' AND '.join(conditions)})"


def _comments(kind: str, schema: str, table: Table) -> Iterator[str]:
    name = _qualified(table.name, schema)
    yield f"COMMENT ON {kind} {name} IS {literal(table.description)}"
    for column in table.columns:
        of_column = f"{name}.{identifier(column.name)}"
        yield f"COMMENT ON COLUMN {of_column} IS {literal(column.description)}"
