"""The journal of a night: one line of JSON for each event of a step.

Steps run as processes of their own, under Airflow or by hand; the journal is how the terminal,
the summary and the report learn what they did. Lines are appended in one write each, so that
steps of one night may run at the same time. Of a write that a full disk cut short a part of a line
stays; readers pass over it, and the next entry begins a line of its own.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


def path(journals: Path, ds: date) -> Path:
    """The file of all runs of one `ds`; it may not exist."""
    return journals / f"ds={ds}.jsonl"


@dataclass(kw_only=True)
class Step:
    """One run of one step. Set `rows_in` and `rows_out` as they become known.

    `file` is None for a helper of another process, which speaks for both.
    """

    name: str
    ds: date
    file: Path | None
    rows_in: int | None = None
    rows_out: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def progress(self, message: str) -> None:
        """Write the progress of the step to its log and to the journal."""
        if self.file is not None:
            log.info("%s: %s", self.name, message)
        self._append(event="progress", message=message)

    def _append(self, **entry: Any) -> None:
        if self.file is None:
            return
        line = json.dumps({"step": self.name, "ds": str(self.ds), "at": time.time(), **entry})
        self.file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            is_cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            whole = ("\n" * is_cut + line + "\n").encode()
            if os.write(descriptor, whole) < len(whole):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.file))
        finally:
            os.close(descriptor)


@contextmanager
def step(journals: Path, name: str, ds: date, *, is_helper: bool = False) -> Iterator[Step]:
    """Record the start, the end and the seconds of a step around the block.

    Of several processes that share a step all but one are helpers, and record nothing.
    """
    record = Step(name=name, ds=ds, file=None if is_helper else path(journals, ds))
    record._append(event="started")
    started = time.monotonic()
    try:
        yield record
    except BaseException as error:
        seconds = round(time.monotonic() - started, 2)
        record._append(event="failed", seconds=seconds, message=str(error) or type(error).__name__)
        raise
    seconds = round(time.monotonic() - started, 2)
    record._append(
        event="finished",
        seconds=seconds,
        rows_in=record.rows_in,
        rows_out=record.rows_out,
        **record.facts,
    )
    if is_helper:
        return
    log.info(
        "%s: finished ds %s in %.1f s, rows in %s, rows out %s",
        name, ds, seconds, _count(record.rows_in), _count(record.rows_out),
    )  # fmt: skip


def read(journals: Path, ds: date) -> list[dict[str, Any]]:
    """All entries of a night's journal, oldest first; empty when there is none."""
    try:
        return entries(path(journals, ds).read_bytes())
    except FileNotFoundError:
        return []


def entries(lines: bytes) -> list[dict[str, Any]]:
    """The entries of some lines of a journal, without those that a full disk cut short."""
    found = []
    for line in lines.splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


def _count(rows: int | None) -> str:
    return "-" if rows is None else f"{rows:,}"
