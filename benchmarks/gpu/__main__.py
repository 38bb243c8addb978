"""Measure meta-training on a GPU in minutes, in stages of falling worth.

    python -m benchmarks.gpu --json FILE [--data DIR] [--device cuda|cpu] [--minutes 8]

Every stage has a limit of its own, and records are written as they come: a run that is cut off
keeps what it has. A measurement that fails says so in a record, and the next one begins. With
--data, a folder that holds the public split ml-1m, MovieLens-1M is trained as well.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA starts

import torch

from benchmarks.gpu import accuracy, determinism, machine, parity, profile, throughput
from benchmarks.gpu.world import TINY, Facts, Measurements, Sizes, World
from benchmarks.records import Record, write_json
from meta_model.device import choose_device
from schemas.run import command_line

log = logging.getLogger("benchmarks.gpu")

Stage = Callable[[World], Measurements]
# Each with its share of the time.
STAGES: tuple[tuple[str, Stage, float], ...] = (
    ("machine", machine.measure, 0.02),
    ("parity", parity.measure, 0.16),
    ("determinism", determinism.measure, 0.14),
    ("throughput", throughput.measure, 0.38),
    ("profile", profile.measure, 0.08),
    ("accuracy", accuracy.measure, 0.22),
)


class OutOfTimeError(Exception):
    """The stage's time is over."""


def main(arguments: list[str] | None = None) -> int:
    """Run all stages within `--minutes`, and write records as they come; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    parser.add_argument("--data", type=Path, help="the folder of the public splits")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--minutes", type=float, default=8.0, help="of all stages (default: 8)")
    parser.add_argument("--tiny", action="store_true", help="a few tasks: does every stage run?")
    options = parser.parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure(options)))


def measure(options: argparse.Namespace) -> Iterator[Record]:
    """Records of all stages; a stage that runs over its share of the minutes is ended."""
    device = choose_device(options.device)
    sizes = TINY if options.tiny else Sizes()
    with tempfile.TemporaryDirectory() as scratch:
        world = World.make(Path(scratch), device, sizes, options.data)
        spare = 0.0
        for name, stage, share in STAGES:
            started = time.monotonic()
            allowed = share * options.minutes * 60 + spare
            for record in _within(allowed, name, stage, world):
                log.info("%s", {key: v for key, v in record.items() if key != "text"})
                yield {"device": device.type, "tiny": options.tiny, **record}
            spare = max(0.0, allowed - (time.monotonic() - started))


def _within(seconds: float, name: str, stage: Stage, world: World) -> Iterator[Record]:
    """The stage's records, and one that says how it ended and how long it took."""
    started = time.monotonic()
    ended, failed = "complete", 0
    for measurement in stage(world):
        try:
            with _alarm(seconds - (time.monotonic() - started)):
                found: Iterable[Facts] = list(measurement())
        except OutOfTimeError:
            ended = f"stopped after its {seconds:.0f} s"
            break
        except Exception as error:  # the others are worth having all the same
            log.exception("a measurement of the stage %s failed", name)
            failed += 1
            found = [{"what": "failed", "error": _first_line(error)}]
            if world.is_cuda:
                torch.cuda.empty_cache()
        for facts in found:
            yield {"stage": name, **facts}
    took = round(time.monotonic() - started, 1)
    yield {"stage": name, "what": "stage", "ended": ended, "failed": failed, "seconds": took}


def _first_line(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return f"{type(error).__name__} in {where}: {str(error).strip().partition(chr(10))[0]}"


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise `OutOfTimeError` in the block once its time is over."""

    def over(_signal: int, _frame: FrameType | None) -> None:
        raise OutOfTimeError

    if seconds <= 0:
        raise OutOfTimeError
    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


if __name__ == "__main__":
    sys.exit(main())
