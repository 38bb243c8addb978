"""DuckDB: the warehouse is one file, changed by putting a new file in its place.

A DuckDB file that is open for reading cannot be written, so a change is made in a copy beside it
and moved over it in one rename: who has the old file open keeps reading it, who opens it next sees
the new one, and a kill or a full disk at any moment leaves the old one whole.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.warehouse.connection import Connection, open_reader, opened
from schemas.files import exclusive_lock, fsync
from schemas.warehouse.uri import WarehouseUri

_MEMORY = "768MiB"


@contextmanager
def replacing(uri: WarehouseUri) -> Iterator[Connection]:
    """A connection to the copy, which takes the file's place when the block ends well.

    Waits while another process changes the same warehouse.
    """
    path = uri.path.resolve()  # of a link, the file that it points to
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    with exclusive_lock(path.with_name(f".{path.name}.lock")):
        _remove(draft)  # what a killed run left
        try:
            if path.exists():
                _copy(uri, path, draft)
            with opened(WarehouseUri.of_file(draft), shown=uri) as connection:
                # DuckDB would keep what it wrote in up to four fifths of the machine's memory.
                connection.execute(f"SET memory_limit = '{_MEMORY}'")
                yield connection
                connection.commit()
                connection.execute("CHECKPOINT")
            if path.exists():
                _let_in_the_same(path, draft)
            fsync(draft)
            _write_ahead_log(path).unlink(missing_ok=True)  # the copy has absorbed it
            draft.replace(path)
            fsync(path.parent)
        finally:
            _remove(draft)


def _copy(uri: WarehouseUri, path: Path, draft: Path) -> None:
    """Copy the file and what a killed writer left beside it, while no writer can open it."""
    with open_reader(uri):
        shutil.copyfile(path, draft)
        if _write_ahead_log(path).exists():
            shutil.copyfile(_write_ahead_log(path), _write_ahead_log(draft))


def _let_in_the_same(path: Path, draft: Path) -> None:
    """Give the draft the mode of the file that it replaces, and its group where that is allowed."""
    with suppress(PermissionError):
        os.chown(draft, -1, path.stat().st_gid)
    shutil.copymode(path, draft)


def _write_ahead_log(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _remove(draft: Path) -> None:
    draft.unlink(missing_ok=True)
    _write_ahead_log(draft).unlink(missing_ok=True)
    shutil.rmtree(draft.with_name(f"{draft.name}.tmp"), ignore_errors=True)  # what it swapped out
