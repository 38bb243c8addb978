"""The differences between the SQL of one engine and of another.

A further engine with an ADBC driver needs its entry here, and what docs/warehouse.md lists under
"Another engine". Only DuckDB and PostgreSQL have been tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.tables.columns import Type
from schemas.warehouse.uri import DUCKDB, POSTGRESQL


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """`types` as the engine's catalogue names them.

    `collation` follows the type of text; `has_partitions` and `has_keys` say whether a
    publication's rows are a table of their own, and whether tables have primary keys.
    """

    name: str
    types: Mapping[Type, str]
    collation: str
    has_partitions: bool
    has_keys: bool


_DUCKDB = Dialect(
    name=DUCKDB,
    types={
        Type.STRING: "VARCHAR",
        Type.BOOL: "BOOLEAN",
        Type.INT32: "INTEGER",
        Type.INT64: "BIGINT",
        Type.FLOAT64: "DOUBLE",
        Type.DATE: "DATE",
        Type.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    },
    collation="",
    has_partitions=False,
    # Loading takes ten times as long with one; that keys are unique is checked before.
    has_keys=False,
)

_POSTGRESQL = Dialect(
    name=POSTGRESQL,
    types={
        Type.STRING: "text",
        Type.BOOL: "boolean",
        Type.INT32: "integer",
        Type.INT64: "bigint",
        Type.FLOAT64: "double precision",
        Type.DATE: "date",
        Type.TIMESTAMP: "timestamp with time zone",
    },
    # In the order of bytes: no update of the operating system's collations changes it under an
    # index, and rows that Spark has sorted are in it. All text, since no two collations compare.
    collation=' COLLATE "C"',
    has_partitions=True,
    has_keys=True,
)

DIALECTS: Mapping[str, Dialect] = {each.name: each for each in (_DUCKDB, _POSTGRESQL)}
