"""Lists a second as they are published, beside the order by expected rating of every pair.

    python -m benchmarks.lists_throughput --json FILE

Both order the whole catalogue for the same users, in one run, on one thread. What a night computes
once, the neighbours among it, is computed with the first batch, which is timed apart.
"""

from __future__ import annotations

import argparse
import ctypes
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch

from benchmarks.inputs import paper_tasks
from benchmarks.records import Record, write_json
from benchmarks.yardsticks.ranking import rank
from meta_model.choice.training import untrained
from meta_model.config import Config
from meta_model.data.batching import batches
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.device import choose_device
from meta_model.learners import create
from meta_model.ranking.by_rating import BLOCK, catalogue_chunks
from meta_model.ranking.recommender import Recommender
from schemas.run import command_line

ITEMS = (paper_tasks.N_ITEMS, 100_000)
TRAINING_USERS = paper_tasks.N_USERS
TOP_ITEMS = 100
BATCH_USERS = BLOCK["cpu"][0]  # as a night scores them
BY_RATING = "by_rating"
# How many batches each way of ordering gets in a round; a batch by rating takes seconds.
_BATCHES = {"published": 2, "without_neighbours": 2, BY_RATING: 1}
_ROUNDS = 5

log = logging.getLogger("benchmarks.lists_throughput")

Way = Callable[[Tasks], object]


def main(arguments: list[str] | None = None) -> int:
    """Write the records of all catalogue sizes to `--json`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lists_throughput")
    parser.description, parser.formatter_class = __doc__, argparse.RawDescriptionHelpFormatter
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    options = parser.parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure()))


def measure() -> Iterator[Record]:
    """A record for every size of the catalogue and every way of ordering but the one by rating."""
    device = choose_device("cpu", 1)
    for n_items in ITEMS:
        with tempfile.TemporaryDirectory() as folder:
            inputs, users = _inputs(Path(folder), n_items)
            ways = _ways(inputs, device)
            once = {name: _seconds(way, users[:1]) for name, way in ways.items()}
        rounds = [_round(ways, users) for _ in range(_ROUNDS)]
        peaks = {name: _peak_mib(way, users[0]) for name, way in ways.items()}
        for name in ways:
            if name != BY_RATING:
                record = {
                    "mode": "lists",
                    "order": name,
                    "items": n_items,
                    "threads": torch.get_num_threads(),
                    **_paired(rounds, name, n_items),
                    "peak_mib": peaks[name],
                    "by_rating_peak_mib": peaks[BY_RATING],
                    "first_batch_seconds": round(once[name], 1),
                }
                log.info("%s", record)
                yield record


def _inputs(folder: Path, n_items: int) -> tuple[Inputs, list[Tasks]]:
    """Training users, whose choices make the neighbours, and batches of users to serve."""
    n_users = BATCH_USERS * max(_BATCHES.values())
    for split, n in (("train", TRAINING_USERS), ("serve", n_users)):
        paper_tasks.write(folder / f"{split}.parquet", n, seed=n, split=split, n_items=n_items)
    files = tuple(folder / f"{split}.parquet" for split in ("train", "serve"))
    inputs = paper_tasks.inputs(Episodes(files=files), n_items=n_items)
    return inputs, list(batches(inputs.episodes.split("serve"), BATCH_USERS))


def _ways(inputs: Inputs, device: torch.device) -> dict[str, Way]:
    """The published order, the same without neighbours, and expected ratings of every pair."""
    torch.manual_seed(1)
    config = Config().paper()
    learner, choice = create(config, inputs), untrained(config, inputs)
    published, without = (
        Recommender.of(learner, choice, each, inputs, device)
        for each in (config, config.having({"choice.neighbour_weight": 0.0}))
    )
    chunks = catalogue_chunks(learner, published.n_items, device)

    @torch.no_grad()
    def by_rating(tasks: Tasks) -> object:
        return rank(learner, tasks, chunks, TOP_ITEMS)

    return {
        "published": lambda tasks: published.ranked(tasks, TOP_ITEMS),
        "without_neighbours": lambda tasks: without.ranked(tasks, TOP_ITEMS),
        BY_RATING: by_rating,
    }


def _round(ways: Mapping[str, Way], users: list[Tasks]) -> dict[str, float]:
    """Users a second of each way; they take turns, so that other load of the machine hits all."""
    parts = {name: users[: _BATCHES[name]] for name in ways}
    return {
        name: sum(map(len, parts[name])) / _seconds(way, parts[name]) for name, way in ways.items()
    }


def _seconds(way: Way, part: list[Tasks]) -> float:
    started = time.perf_counter()
    for tasks in part:
        way(tasks)
    return time.perf_counter() - started


def _paired(rounds: list[dict[str, float]], name: str, n_items: int) -> Record:
    """The medians of the rounds; of the ratio, which is paired in each round, also the ends."""
    rate, by_rating = (statistics.median(each[n] for each in rounds) for n in (name, BY_RATING))
    ratios = [each[name] / each[BY_RATING] for each in rounds]
    return {
        "users_per_second": round(rate, 1),
        "by_rating_users_per_second": round(by_rating, 1),
        "pairs_per_second": round(rate * n_items),
        "ratio": round(statistics.median(ratios), 1),
        "ratio_low": round(min(ratios), 1),
        "ratio_high": round(max(ratios), 1),
    }


def _peak_mib(way: Way, tasks: Tasks) -> int:
    """The most memory that a batch held on top of what the process held before it."""
    ctypes.CDLL(None).malloc_trim(0)  # what earlier batches left unused counts as held otherwise
    before = _status_kib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    way(tasks)
    return round((_status_kib("VmHWM") - before) / 1024)


def _status_kib(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    [kib] = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    return int(kib)


if __name__ == "__main__":
    sys.exit(main())
