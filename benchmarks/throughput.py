"""Tasks per second of the engine beside a loop over tasks, on the same tasks in one run.

    python -m benchmarks.throughput --json FILE

`train` is a whole global update, `evaluate` adapts and predicts the query, `score` adapts and ranks
the whole catalogue.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.inputs import paper_tasks
from benchmarks.loops import LOOPS
from benchmarks.records import Record, write_json
from benchmarks.yardsticks.ranking import rank
from meta_model.config import Config
from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.device import choose_device
from meta_model.learners import create
from meta_model.ranking.by_rating import catalogue_chunks
from meta_model.training.global_update import Progress, global_update, optimizer_of
from schemas.run import command_line

META_BATCHES = (32, 256)
THREADS = (1, 2)
TOP_ITEMS = 20
_ROUNDS = 6
# How many batches the engine gets in each mode, and how many tasks of a batch the loop: more of
# them take just as much longer. To rank a catalogue takes MetaHIN's loop a quarter second a task.
_BATCHES = {"train": 8, "evaluate": 8, "score": 1}
_LOOP_TASKS = {"train": 32, "evaluate": 32, "score": 4}

log = logging.getLogger("benchmarks.throughput")


def main(arguments: list[str] | None = None) -> int:
    """Write the records of one or all learners to `--json`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("--learner", choices=["all", *sorted(LOOPS)], default="melu")
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    options = parser.parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure(options)))


def measure(options: argparse.Namespace) -> Iterator[Record]:
    """A record for every mode, meta-batch and number of threads; of `all`, on one thread."""
    is_all = options.learner == "all"
    with tempfile.TemporaryDirectory() as folder:
        n_tasks = 8 * max(META_BATCHES)
        inputs = paper_tasks.inputs(
            paper_tasks.write(Path(folder) / "tasks.parquet", n_tasks, seed=1)
        )
        for name in sorted(LOOPS) if is_all else [options.learner]:
            for threads in THREADS[:1] if is_all else THREADS:
                device = choose_device(options.device, threads)
                for meta_batch in META_BATCHES[:1] if is_all else META_BATCHES:
                    yield from _of_batch(inputs, name, meta_batch, threads, device)


def _of_batch(
    inputs: Inputs, name: str, meta_batch: int, threads: int, device: torch.device
) -> Iterator[Record]:
    config = Config(model=name).paper().having({"training.batch_tasks": meta_batch})
    tasks = [
        tasks.to(device) for tasks in batches(inputs.episodes, meta_batch, np.random.default_rng(1))
    ][: max(_BATCHES.values())]
    for mode, (ours, loop) in _modes(inputs, config, device).items():
        rate, loop_rate = _paired(ours, loop, tasks[: _BATCHES[mode]], _LOOP_TASKS[mode])
        record = {
            "learner": name,
            "mode": mode,
            "meta_batch": meta_batch,
            "threads": threads,
            "device": device.type,
            "tasks_per_second": round(rate, 1),
            "loop_tasks_per_second": round(loop_rate, 1),
            "ratio": round(rate / loop_rate, 1),
        }
        log.info("%s", record)
        yield record


def _modes(
    inputs: Inputs, config: Config, device: torch.device
) -> dict[str, tuple[Callable[[Tasks], object], Callable[[Tasks], object]]]:
    """For each mode what the engine does with a batch, and what the loop does with it."""
    torch.manual_seed(1)
    learner = create(config, inputs).to(device)
    loop = LOOPS[config.model](learner)
    optimizer = optimizer_of(learner, config, device)
    at = Progress(epoch=1, step=1, share=0.5)
    chunks = catalogue_chunks(learner.eval(), paper_tasks.N_ITEMS, device)
    items = torch.arange(1, paper_tasks.N_ITEMS + 1, device=device)

    @torch.no_grad()
    def evaluate(tasks: Tasks) -> torch.Tensor:
        learner.eval()
        catalogue = learner.embed(tasks.items)
        state = learner.adapt(tasks, catalogue)
        return learner.predict(state, catalogue, learner.statistics.query(tasks))

    @torch.no_grad()
    def score(tasks: Tasks) -> object:
        learner.eval()
        return rank(learner, tasks, chunks, TOP_ITEMS)

    return {
        "train": (
            lambda tasks: global_update(learner, optimizer, [(0, tasks)], config, at),
            loop.global_update,
        ),
        "evaluate": (evaluate, loop.evaluate),
        "score": (score, lambda tasks: loop.rank(tasks, items, TOP_ITEMS)),
    }


def _paired(
    ours: Callable[[Tasks], object],
    loop: Callable[[Tasks], object],
    tasks: list[Tasks],
    n_of_loop: int,
) -> tuple[float, float]:
    """Tasks per second of the engine over all batches, and of the loop over some of two of them.

    They take turns, so that whatever else the machine does hits both; the medians of the rounds.
    """
    some = [batch[torch.randperm(len(batch))[:n_of_loop]] for batch in tasks]
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        for function, part, into in ((ours, tasks, rates[0]), (loop, some[:2], rates[1])):
            into.append(sum(map(len, part)) / _seconds(function, part))
    # The first round pays for what is made once.
    return statistics.median(rates[0][1:]), statistics.median(rates[1][1:])


def _seconds(function: Callable[[Tasks], object], part: list[Tasks]) -> float:
    started = time.perf_counter()
    for tasks in part:
        function(tasks)
    if part[0].users.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
