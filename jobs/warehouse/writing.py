"""Change a warehouse of any engine: its structure brought forward, its leftovers swept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jobs.warehouse import duckdb_file, structure
from jobs.warehouse.connection import opened
from jobs.warehouse.partitions import PartitionedPublication
from jobs.warehouse.publication import Publication
from schemas.warehouse.dialects import DIALECTS
from schemas.warehouse.uri import DUCKDB, WarehouseUri


@contextmanager
def writing(uri: WarehouseUri) -> Iterator[Publication]:
    """A publication to fill. Readers see nothing of it before its `short_transaction` ends."""
    dialect = DIALECTS[uri.engine]
    if uri.engine == DUCKDB:
        with duckdb_file.replacing(uri) as connection:
            structure.bring_forward(connection, dialect)
            publication = Publication(connection)
            yield publication
            publication.sweep()  # nobody reads the copy: what was replaced can go at once
        return
    with opened(uri) as connection:
        # One at a time makes or migrates the structure: this lasts as long as its transaction.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('coldstart structure'))")
        structure.bring_forward(connection, dialect)
        partitioned = PartitionedPublication(connection)
        # Before and not after: who began to read what this one replaces may finish, as late as
        # until the next.
        partitioned.sweep()
        yield partitioned
