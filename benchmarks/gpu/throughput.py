"""Stage 4: tasks per second, beside the machine's own CPU and beside a loop over tasks.

The learners are as in their papers, by exact second order. `train` is a whole global update with
the assembly of its batch on the device, `evaluate` adapts and predicts the query, `score` adapts
and ranks the whole catalogue.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice
from typing import Any

import torch

from benchmarks.gpu import graphs
from benchmarks.gpu.timing import rate, seconds_each
from benchmarks.gpu.world import FIRST, Facts, Measurements, Training, World, draws, paper
from benchmarks.inputs import paper_tasks
from benchmarks.loops import LOOPS
from benchmarks.yardsticks.ranking import rank
from meta_model.data.batching import batches
from meta_model.data.tasks import Tasks
from meta_model.learners import Learner
from meta_model.ranking.by_rating import catalogue_chunks

CPU = torch.device("cpu")
_TOP = 20
_FEW = 4  # batches that are made once, where their making is not measured


def measure(world: World) -> Measurements:
    """Tasks per second by meta-batch: plain, TF32, CUDA graph, assembly, loop and CPU."""
    sizes = world.sizes
    for meta_batch in sizes.meta_batches:
        yield partial(_of_learner, world, FIRST, meta_batch)
    if world.is_cuda:
        for meta_batch in sizes.meta_batches:
            yield partial(_tf32, world, meta_batch)
            yield partial(_cuda_graph, world, meta_batch)
    for meta_batch in sizes.meta_batches:
        yield partial(_share_of_assembly, world, meta_batch)
    for name in sizes.learners:
        yield partial(_beside_loop, world, name)
    for meta_batch in sizes.meta_batches:
        yield partial(_on_cpu, world, meta_batch)
    for name in sizes.learners:
        if name != FIRST:
            yield partial(_of_learner, world, name, sizes.every_learner_at)


def _of_learner(world: World, name: str, meta_batch: int) -> Iterator[Facts]:
    training = Training(paper(name), world.inputs, world.device)
    rows = world.rows()

    def train() -> Iterator[int]:
        for tasks in rows.batches(meta_batch, draws(), None):
            training.step(tasks)
            yield len(tasks)

    few = list(islice(rows.batches(meta_batch, draws(), None), _FEW))
    chunks = catalogue_chunks(training.learner.eval(), paper_tasks.N_ITEMS, world.device)
    modes: dict[str, Callable[[], Iterator[int]]] = {
        "train": train,
        "evaluate": lambda: _each(few, lambda tasks: _evaluate(training.learner, tasks)),
        "score": lambda: _each(few, lambda tasks: _score(training.learner, tasks, chunks)),
    }
    for mode, work in modes.items():
        if world.is_cuda:
            torch.cuda.reset_peak_memory_stats()
        measured = rate(world, work)
        peak = torch.cuda.max_memory_allocated() / 2**20 if world.is_cuda else None
        yield {
            "what": "rate",
            "learner": name,
            "mode": mode,
            "meta_batch": meta_batch,
            "tasks_per_second": round(measured, 1),
            "peak_mib": peak and round(peak),
        }


def _beside_loop(world: World, name: str) -> Iterator[Facts]:
    """Training beside a Python loop over tasks on the same device."""
    training = Training(paper(name), world.inputs, world.device)
    loop: Any = LOOPS[name](training.learner)
    tasks = world.batch(world.sizes.loop_tasks, world.device)
    taken = seconds_each(world, lambda: loop.global_update(tasks))
    many = next(world.rows().batches(world.sizes.every_learner_at, draws(), None))
    ours = len(many) / seconds_each(world, lambda: training.step(many))
    theirs = len(tasks) / taken
    yield {
        "what": "loop",
        "learner": name,
        "meta_batch": len(many),
        "tasks_per_second": round(ours, 1),
        "loop_tasks_per_second": round(theirs, 1),
        "ratio": round(ours / theirs, 1),
    }


def _share_of_assembly(world: World, meta_batch: int) -> Iterator[Facts]:
    """What batches cost: made on the device, and made on the host and copied, beside ready ones."""
    training, rows = Training(paper(FIRST), world.inputs, world.device), world.rows()
    ready = list(islice(rows.batches(meta_batch, draws(), None), _FEW))

    def of(batches_of_epoch: Callable[[], Iterator[Tasks]]) -> float:
        def epoch() -> Iterator[int]:
            for tasks in batches_of_epoch():
                training.step(tasks)
                yield len(tasks)

        return rate(world, epoch)

    on_device = of(lambda: rows.batches(meta_batch, draws(), None))
    on_host = of(
        lambda: (
            tasks.to(world.device) for tasks in batches(world.inputs.episodes, meta_batch, draws())
        )
    )
    none = of(lambda: iter(ready))
    yield {
        "what": "assembly",
        "meta_batch": meta_batch,
        "tasks_per_second": round(on_device, 1),
        "made_on_host_tasks_per_second": round(on_host, 1),
        "ready_tasks_per_second": round(none, 1),
    }


def _tf32(world: World, meta_batch: int) -> Iterator[Facts]:
    """Products of float32 by TF32, which keeps 10 of the 23 bits of a factor."""
    training = Training(paper(FIRST), world.inputs, world.device)
    tasks = next(world.rows().batches(meta_batch, draws(), None))
    losses, seconds = {}, {}
    try:
        for precision in ("highest", "high"):
            torch.set_float32_matmul_precision(precision)
            losses[precision] = graphs.loss_of(training.learner, tasks)
        for precision in ("highest", "high"):
            torch.set_float32_matmul_precision(precision)
            seconds[precision] = seconds_each(world, lambda: training.step(tasks))
    finally:
        torch.set_float32_matmul_precision("highest")
    yield {
        "what": "tf32",
        "meta_batch": len(tasks),
        "tasks_per_second": round(len(tasks) / seconds["high"], 1),
        "tasks_per_second_without": round(len(tasks) / seconds["highest"], 1),
        "error_of_loss": abs(losses["high"] / losses["highest"] - 1),
    }


def _cuda_graph(world: World, meta_batch: int) -> Iterator[Facts]:
    tasks = next(world.rows().batches(meta_batch, draws(), None))
    yield {"what": "cuda graph", **graphs.beside_eager(world, tasks)}


def _on_cpu(world: World, meta_batch: int) -> Iterator[Facts]:
    """MeLU's training on all of the machine's own cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    try:
        training = Training(paper(FIRST), world.inputs, CPU)
        few = list(islice(batches(world.inputs.episodes, meta_batch, draws()), _FEW))
        measured = rate(world, lambda: _each(few, training.step))
        yield {
            "what": "cpu",
            "meta_batch": meta_batch,
            "threads": torch.get_num_threads(),
            "tasks_per_second": round(measured, 1),
        }
    finally:
        torch.set_num_threads(threads)


def _each(few: list[Tasks], work: Callable[[Tasks], object]) -> Iterator[int]:
    for tasks in cycle(few):
        work(tasks)
        yield len(tasks)


@torch.no_grad()
def _evaluate(learner: Learner, tasks: Tasks) -> object:
    catalogue = learner.eval().embed(tasks.items)
    state = learner.adapt(tasks, catalogue)
    return learner.predict(state, catalogue, learner.statistics.query(tasks))


@torch.no_grad()
def _score(learner: Learner, tasks: Tasks, chunks: list[Any]) -> object:
    return rank(learner.eval(), tasks, chunks, _TOP)
