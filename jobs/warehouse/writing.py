"""Change a warehouse of any engine: its structure is migrated, its leftovers are vacuumed."""

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
            structure.migrate(connection, dialect)
            publication = Publication(connection)
            yield publication
            publication.vacuum()  # nobody reads the copy: what was replaced can go at once
        return
    with opened(uri) as connection:
        # One at a time makes or migrates the structure: this lasts as long as its transaction.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('coldstart structure'))")
        structure.migrate(connection, dialect)
        partitioned = PartitionedPublication(connection)
        # Before and not after: readers of the publication that this one replaces may finish, as
        # late as the next publication.
        partitioned.vacuum()
        yield partitioned
