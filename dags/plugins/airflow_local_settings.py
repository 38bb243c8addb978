"""Lets Airflow on SQLite start a backfill of days that have run before.

Airflow looks each such day up and clears it inside a savepoint. In SQLite a savepoint reads a
snapshot, and a snapshot cannot be written to once another process has written: "database is
locked", at once, and the scheduler writes all the time. A transaction that is to write from its
beginning waits its turn instead, as long as the connection's timeout says. Airflow imports this
module, by its name, in every process.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, event

__all__: list[str] = []  # Airflow would take every name here for a setting of its own


@event.listens_for(Engine, "savepoint")
def _begin_to_write(connection: Connection, _name: str | None) -> None:
    if connection.dialect.name != "sqlite":
        return
    driver = connection.connection.driver_connection
    if driver is not None and not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
