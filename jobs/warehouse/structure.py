"""The warehouse's tables and views: created if it is empty, migrated if it is older."""

from __future__ import annotations

import logging
from importlib.resources import files

from jobs.warehouse.connection import Connection
from schemas import utc
from schemas.errors import UserError
from schemas.tables.columns import differences
from schemas.tables.products import PUBLICATIONS
from schemas.warehouse import ddl
from schemas.warehouse.dialects import Dialect
from schemas.warehouse.stored import DATA_SCHEMA, SCHEMA, STORED, VERSIONS

log = logging.getLogger(__name__)

# A change of the DDL needs the next number, and for each engine in use a file
# schemas/warehouse/migrations/<engine>/<number>.sql that brings one of the number
# before to it.
VERSION = 8


def migrate(connection: Connection, dialect: Dialect) -> None:
    """Make or migrate the structure, in one transaction; a `UserError` when it is newer."""
    found = _version(connection)
    if found == VERSION:
        _check(connection, dialect)
        connection.rollback()  # it only read
        return
    if found > VERSION:
        raise UserError(
            f"the warehouse {connection.uri} has structure version {found}, expected at most "
            f"{VERSION}: a newer release published to it. Publish with that release; this one "
            "would damage what it does not know."
        )
    for schema in (SCHEMA, DATA_SCHEMA):  # a role that may not make schemas needs existing ones
        if not connection.rows(
            "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1", schema
        ):
            connection.execute(f"CREATE SCHEMA {ddl.identifier(schema)}")
    statements = list(ddl.tables(dialect)) if not found else []
    for version in range(found + 1, VERSION + 1) if found else ():
        log.info("the warehouse's structure goes from version %d to %d", version - 1, version)
        statements += _migration(dialect, version)
    for statement in (*statements, *ddl.views_and_comments()):
        connection.execute(statement)
    connection.execute(
        f"INSERT INTO {ddl.stored(VERSIONS.name)} VALUES ($1, $2)",  # noqa: S608 - a constant
        VERSION,
        utc.now(),
    )
    _check(connection, dialect)
    connection.commit()


def _version(connection: Connection) -> int:
    """0: nothing is there. 1: a warehouse from before versions were kept."""
    if connection.rows(_TABLE, DATA_SCHEMA, VERSIONS.name):
        name = ddl.stored(VERSIONS.name)
        [(version,)] = connection.rows(f"SELECT max(version) FROM {name}")  # noqa: S608 - a constant
        return int(version)
    return 1 if connection.rows(_TABLE, SCHEMA, PUBLICATIONS.name) else 0


_TABLE = "SELECT 1 FROM information_schema.tables WHERE table_schema = $1 AND table_name = $2"


def _migration(dialect: Dialect, version: int) -> list[str]:
    file = files("schemas.warehouse") / "migrations" / dialect.name / f"{version:04}.sql"
    return [statement for statement in file.read_text().split(";\n") if statement.strip()]


def _check(connection: Connection, dialect: Dialect) -> None:
    """Compare the tables with the contract: tables changed by hand are not published to."""
    types = {name: type_.value for type_, name in dialect.types.items()}
    problems = []
    for table in STORED:
        found = connection.rows(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position",
            DATA_SCHEMA,
            table.name,
        )
        columns = [(name, types.get(type_, type_)) for name, type_ in found]
        problems += [f"{table.name}: {problem}" for problem in differences(table, columns)]
    if problems:
        raise UserError(
            f"the warehouse {connection.uri} is not of structure version {VERSION}: "
            f"{'; '.join(problems)}. Undo what was changed by hand, or set COLDSTART_WAREHOUSE to "
            "another place and publish again."
        )
