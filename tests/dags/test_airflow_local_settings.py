"""On SQLite a savepoint that reads first may still write, whoever has written meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import airflow_local_settings  # noqa: F401  registers itself, as when Airflow imports it
import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """As Airflow opens its database: a write-ahead log, and a wait for other writers."""
    engine = create_engine(f"sqlite:///{tmp_path / 'airflow.db'}?timeout=20")

    @event.listens_for(engine, "connect")
    def write_ahead(connection: object, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")  # type: ignore[attr-defined]

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE runs (day TEXT, state TEXT)"))
        connection.execute(text("INSERT INTO runs VALUES ('1998-03-31', 'success')"))
    yield engine
    engine.dispose()


def _set_state(connection: Connection, state: str) -> None:
    connection.execute(text("UPDATE runs SET state = :state"), {"state": state})


def test_a_day_is_cleared_while_the_scheduler_writes(engine: Engine) -> None:
    def schedule() -> None:
        with engine.begin() as connection:
            _set_state(connection, "running")

    with engine.connect() as connection:
        with connection.begin_nested():
            assert connection.scalar(text("SELECT state FROM runs")) == "success"
            scheduler = threading.Thread(target=schedule)
            scheduler.start()
            scheduler.join(0.5)
            _set_state(connection, "queued")
        connection.commit()
    scheduler.join(10)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT state FROM runs")) == "running"
