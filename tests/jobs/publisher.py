"""A publisher that can be killed before any of its statements: `python -m tests.jobs.publisher DS`.

It reads numbers, one a line: for each it forks a child that publishes, killed before that
statement (or that change of a file), and answers `killed`, or `done` if there were not as many.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from functools import wraps
from itertools import count
from typing import Any

from adbc_driver_manager import dbapi

from jobs.steps import publish
from jobs.warehouse import duckdb_file
from schemas.run import journal
from schemas.run.settings import Settings
from tests.jobs.night import MODEL


def _publish(ds: date, killed_before: int) -> None:
    numbers = count(1)

    def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapper(*arguments: Any, **options: Any) -> Any:
            if next(numbers) == killed_before:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return wrapper

    for name in ("execute", "adbc_ingest"):
        setattr(dbapi.Cursor, name, deadly(getattr(dbapi.Cursor, name)))
    dbapi.Connection.commit = deadly(dbapi.Connection.commit)
    dbapi.Connection.close = deadly(dbapi.Connection.close)
    for name in ("fsync", "_remove", "_copy"):
        setattr(duckdb_file, name, deadly(getattr(duckdb_file, name)))
    settings = Settings.from_environment()
    record = journal.Step(name="publish", ds=ds, file=settings.home / "journal.jsonl")
    publish.run(settings, ds, record, MODEL)


def main() -> None:
    ds = date.fromisoformat(sys.argv[1])
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            _publish(ds, int(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        answer = {0: "done", signal.SIGKILL: "killed"}.get(status, f"status {status}")
        print(answer, flush=True)


if __name__ == "__main__":
    main()
