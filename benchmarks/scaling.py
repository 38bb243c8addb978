"""Time and peak memory of an epoch of training, and of scoring, at 1x, 4x and 16x tasks.

    python -m benchmarks.scaling --json FILE

Each measurement is a process of its own, so that its peak is its own; the peak holds the libraries
too. Tasks and catalogue are of the paper's shape (benchmarks/inputs/paper_tasks.py).
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.inputs import paper_tasks
from benchmarks.records import Record, write_json
from meta_model.choice.training import untrained
from meta_model.config import Config
from meta_model.data.episodes import Episodes
from meta_model.device import choose_device
from meta_model.learners import create
from meta_model.ranking.recommender import Recommender
from meta_model.ranking.scoring import score_cold_users
from meta_model.training.meta_train import meta_train
from schemas.run import command_line

log = logging.getLogger("benchmarks.scaling")

FACTORS = (1, 4, 16)
TASKS = {"train": 16_384, "score": 1_024}  # at 1x


def main(arguments: list[str] | None = None) -> int:
    """Measure all modes and sizes, or with `--one` a single one in this process; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--json", type=Path, help="where to write the records")
    parser.add_argument("--one", nargs=2, metavar=("MODE", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(_measure_here(options.one[0], Path(options.one[1]))))
        return 0
    if options.json is None:
        parser.error("--json FILE is needed")
    return command_line.run(lambda: write_json(options.json, measure()))


def measure() -> Iterator[Record]:
    """A record for each mode and size, each measured in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for mode, n_tasks in TASKS.items():
            for factor in FACTORS:
                file = Path(folder) / f"{mode}-{factor}.parquet"
                split = "train" if mode == "train" else "serve"
                paper_tasks.write(file, n_tasks * factor, seed=1, split=split)
                command = [sys.executable, "-m", "benchmarks.scaling", "--one", mode, str(file)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                record = {"mode": mode, "tasks": n_tasks * factor, **json.loads(done.stdout)}
                log.info("%s", record)
                yield record
                file.unlink()


def _measure_here(mode: str, file: Path) -> dict[str, float]:
    """Seconds of the work on the episodes in `file`, and the peak memory of this process."""
    device = choose_device("cpu")
    config = Config().paper().having({"training.epochs": 1, "training.batch_tasks": 256})
    inputs = paper_tasks.inputs(Episodes(files=(file,)))
    torch.manual_seed(1)
    recommender = Recommender.of(
        create(config, inputs), untrained(config, inputs), config, inputs, device
    )
    started = time.perf_counter()
    if mode == "train":
        meta_train(inputs, config, device)
    else:
        for _ in score_cold_users(recommender, inputs):
            pass  # what is scored is written batch by batch, and gone
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(seconds, 2), "peak_mib": round(peak)}


if __name__ == "__main__":
    sys.exit(main())
