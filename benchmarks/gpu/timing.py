"""Seconds of work on a device that goes on computing while Python does."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable

from benchmarks.gpu.world import World


def seconds_each(world: World, work: Callable[[], object]) -> float:
    """The median of some rounds of `work`, each waited for, after two to warm up."""
    for _ in range(min(2, world.sizes.rounds)):
        work()
    taken = []
    for _ in range(world.sizes.rounds):
        world.synchronize()
        started = time.perf_counter()
        work()
        world.synchronize()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def rate(world: World, work: Callable[[], Iterable[int]]) -> float:
    """Tasks per second of `work`, an epoch that yields each step's number of tasks.

    It is run until a second is over, and once before that; steps are not waited for one by one.
    """
    first = work()
    for number, _ in enumerate(first):
        if number == 2:
            break
    world.synchronize()
    started, n_tasks = time.perf_counter(), 0
    while True:
        for n in work():
            n_tasks += n
            if time.perf_counter() - started > world.sizes.seconds_a_rate:
                world.synchronize()
                return n_tasks / (time.perf_counter() - started)
