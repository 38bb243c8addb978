"""Stage 2: does the device compute what the CPU computes, and does a step wait for nothing?

One batch with supports of all lengths: losses, gradients, forecasts after adapting, the scores of
the whole catalogue, and the order of lists. An error is the largest difference, as a share of the
largest value.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping
from functools import partial

import torch
from torch import Tensor

from benchmarks.gpu.world import (
    FIRST,
    Facts,
    Measurements,
    Training,
    World,
    draws,
    made,
    without_chance,
)
from benchmarks.inputs import paper_tasks
from benchmarks.inputs.float64 import double
from benchmarks.yardsticks.ranking import rank
from meta_model.choice.training import untrained
from meta_model.data.tasks import Tasks
from meta_model.learners import Learner
from meta_model.ranking.by_rating import catalogue_chunks
from meta_model.ranking.recommender import Recommender
from meta_model.training.global_update import task_losses

CPU = torch.device("cpu")
LIMITS = {torch.float64: 1e-8, torch.float32: 1e-4}
_TOP = 20


def measure(world: World) -> Measurements:
    """For each learner: differences from the CPU in each dtype, then waits for the device."""
    for name in world.sizes.learners:
        for dtype in LIMITS:
            yield partial(_compared, world, name, dtype)
        yield partial(_waits, world, name)
    yield partial(_lists, world)


def _lists(world: World) -> Iterator[Facts]:
    """The published order of one model of choices, of tasks that are on the device already."""
    config = without_chance(FIRST).having({"choice.size": 16})
    torch.manual_seed(1)
    choice = untrained(config, world.inputs)
    found, sizes = [], world.sizes.parity_tasks
    for device in (CPU, world.device):
        learner = made(config, world.inputs, device)
        order = Recommender.of(learner, copy.deepcopy(choice), config, world.inputs, device)
        tasks = world.batch(sizes, CPU).to(device)
        order.ranked(tasks, _TOP)  # runs at all, expected ratings included
        keys = order.scores(tasks)
        found.append(torch.where(keys.isfinite(), keys, 0))
    yield _fact("lists", config.choice.learner, torch.float32, _error(*found))


def _compared(world: World, name: str, dtype: torch.dtype) -> Iterator[Facts]:
    for what, error in _errors(world, name, dtype).items():
        yield _fact(what, name, dtype, error)


def _fact(what: str, learner: str, dtype: torch.dtype, error: float) -> Facts:
    return {
        "what": what,
        "learner": learner,
        "dtype": str(dtype).removeprefix("torch."),
        "error": float(f"{error:.3g}"),
        "limit": LIMITS[dtype],
        "passed": error <= LIMITS[dtype],
    }


def _errors(world: World, name: str, dtype: torch.dtype) -> Mapping[str, float]:
    config = without_chance(name)
    found = []
    for device in (CPU, world.device):
        tasks = world.batch(world.sizes.parity_tasks, CPU)
        if dtype == torch.float64:
            tasks = double(tasks)
        learner = made(config, world.inputs, CPU).to(dtype).to(device)
        found.append(_computed(learner, tasks.to(device), device))
    ours, theirs = found
    return {what: _error(value, ours[what]) for what, value in theirs.items()}


def _computed(learner: Learner, tasks: Tasks, device: torch.device) -> dict[str, Tensor]:
    """All that is compared, on the CPU and in float64."""
    losses, _ = task_losses(learner.train(), tasks)
    losses.sum().backward()
    gradients = [p.grad.flatten() for p in learner.parameters() if p.grad is not None]
    learner.eval()
    with torch.no_grad():
        catalogue = learner.embed(tasks.items)
        state = learner.adapt(tasks, catalogue)
        forecasts = learner.predict(state, catalogue, learner.statistics.query(tasks))
        chunks = catalogue_chunks(learner, paper_tasks.N_ITEMS, device)
        _, scores = rank(learner, tasks, chunks, _TOP)
    computed = {
        "losses": losses,
        "gradients": torch.cat(gradients),
        "forecasts": forecasts[tasks.query.mask],
        "scores": scores,
    }
    return {what: value.detach().double().cpu() for what, value in computed.items()}


def _error(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


def _waits(world: World, name: str) -> Iterator[Facts]:
    """How often three steps made Python wait, their batches' assembly included, and where."""
    if not world.is_cuda:
        return
    training = Training(without_chance(name), world.inputs, world.device)
    batches = world.rows().batches(world.sizes.parity_tasks, draws(), None)
    training.step(next(batches))  # makes what is made once
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            for _ in range(3):
                training.step(next(batches))
        finally:
            torch.cuda.set_sync_debug_mode("default")
    waits = [w for w in caught if "synchroniz" in str(w.message)]
    places = sorted({f"{w.filename.rsplit('/', 1)[-1]}:{w.lineno}" for w in waits})
    yield {"what": "waits", "learner": name, "per_step": len(waits) / 3, "where": places}
