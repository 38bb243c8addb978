"""Stage 3: do two trainings end with the same bits, and what does that cost?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor

from benchmarks.gpu.timing import rate
from benchmarks.gpu.world import Facts, Measurements, Training, World, draws
from meta_model.config import Config


def measure(world: World) -> Measurements:
    """Whether two runs give equal weights to the bit, then what that costs in time."""
    for name in world.sizes.learners:
        yield partial(_repeats, world, name)
    for name in world.sizes.learners:
        yield partial(_cost, world, name)


def _cost(world: World, name: str) -> Iterator[Facts]:
    rates = {}
    for is_deterministic in (True, False):
        with _deterministic(is_deterministic):
            rates[is_deterministic] = _rate(world, name)
    yield {
        "what": "cost",
        "learner": name,
        "meta_batch": world.sizes.every_learner_at,
        "tasks_per_second": round(rates[True], 1),
        "tasks_per_second_without": round(rates[False], 1),
    }


def _repeats(world: World, name: str) -> Iterator[Facts]:
    """Whether the weights are equal to the bit, dropout and hidden items included."""
    about: dict[str, object] = {"what": "repeats", "learner": name}
    with _deterministic(True):
        try:
            first, second = (_trained(world, name) for _ in range(2))
        except RuntimeError as error:
            if "deterministic" not in str(error):
                raise
            yield {**about, "equal": False, "forbidden": str(error).split(".")[0]}
            return
    differing = [key for key, value in first.items() if not torch.equal(value, second[key])]
    steps = world.sizes.steps_of_determinism
    yield {**about, "steps": steps, "equal": not differing, "differing": differing}


def _trained(world: World, name: str) -> dict[str, Tensor]:
    training = Training(Config(model=name), world.inputs, world.device)
    batches = world.rows().batches(256, draws(), None)
    for _ in range(world.sizes.steps_of_determinism):
        tasks = next(batches, None)
        if tasks is None:
            batches = world.rows().batches(256, draws(), None)
            tasks = next(batches)
        training.step(tasks)
    return training.learner.state_dict()


def _rate(world: World, name: str) -> float:
    training = Training(Config(model=name), world.inputs, world.device)
    rows = world.rows()

    def epoch() -> Iterator[int]:
        for tasks in rows.batches(world.sizes.every_learner_at, draws(), None):
            training.step(tasks)
            yield len(tasks)

    return rate(world, epoch)


@contextmanager
def _deterministic(is_strict: bool) -> Iterator[None]:
    """Strict: an operation that cannot repeat raises an error."""
    before = torch.get_deterministic_debug_mode()
    torch.use_deterministic_algorithms(is_strict)
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)
