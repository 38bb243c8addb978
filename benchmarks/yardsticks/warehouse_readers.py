"""Analysts who ask the latest views while a publication runs: how long they wait, what they see."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.synchronize import Event

from benchmarks.inputs.warehouse_rows import LIST, TOP_K, user_id
from jobs.warehouse import Connection, open_reader
from schemas.warehouse.uri import DUCKDB, WarehouseUri

READERS = 8
# One statement, and so one moment: the list, a user's scores, and what the publication says.
_QUESTION = """
SELECT
    (SELECT count(*) FROM coldstart.latest_evidence_items),
    (SELECT count(*) FROM coldstart.latest_cold_user_scores WHERE user_id = $1),
    (SELECT count(DISTINCT run_id) FROM (
        SELECT run_id FROM coldstart.latest_evidence_items
        UNION ALL SELECT run_id FROM coldstart.latest_cold_user_scores WHERE user_id = $2
    ) AS runs)
"""
_WHOLE = (LIST, TOP_K, 1)


@dataclass(frozen=True, kw_only=True)
class Reads:
    """When each read began, how many seconds it took, and whether it saw one whole ds."""

    reads: list[tuple[float, float, bool]]

    def p95_ms(self, start: float, end: float) -> float:
        """Of the reads that ran at some moment between `start` and `end`."""
        took = [took for at, took, _ in self.reads if at < end and at + took > start]
        return round(statistics.quantiles(took, n=20)[-1] * 1000, 1)

    @property
    def partial(self) -> int:
        """How many answers held less than a whole ds, or rows of two runs; 0 is expected."""
        return sum(not is_whole for *_, is_whole in self.reads)


@contextmanager
def reading(uri: WarehouseUri, users: int) -> Iterator[list[Reads]]:
    """`READERS` processes that read until the block ends; what they saw is then in the list."""
    spawn = multiprocessing.get_context("spawn")
    stop, pipes, processes = spawn.Event(), [], []
    for number in range(READERS):
        mine, theirs = spawn.Pipe()
        user = user_id(number * (users // READERS))
        process = spawn.Process(target=_read, args=(uri.text, user, stop, theirs))
        process.start()
        pipes.append(mine)
        processes.append(process)
    for pipe in pipes:
        assert pipe.recv() == "ready"
    seen: list[Reads] = []
    try:
        yield seen
    finally:
        stop.set()
        found = [read for pipe in pipes for read in pipe.recv()]
        seen.append(Reads(reads=sorted(found)))
        for process in processes:
            process.join()


def _read(uri_text: str, user: str, stop: Event, pipe: Pipe) -> None:
    uri, reads = WarehouseUri.parse(uri_text), []
    # A DuckDB file that is open stays as it was opened: a reader of the latest rows opens it again.
    kept = nullcontext(None) if uri.engine == DUCKDB else open_reader(uri)
    with kept as connection:
        pipe.send("ready")
        while not stop.is_set():
            at, started = time.time(), time.perf_counter()
            if connection is None:
                with open_reader(uri) as fresh:
                    found = _ask(fresh, user)
            else:
                found = _ask(connection, user)
            reads.append((at, time.perf_counter() - started, found == _WHOLE))
    pipe.send(reads)


def _ask(connection: Connection, user: str) -> tuple[int, ...]:
    [found] = connection.rows(_QUESTION, user, user)
    connection.rollback()
    return found
