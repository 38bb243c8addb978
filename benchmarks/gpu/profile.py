"""Stage 5: where the time of a step goes: kernels by time, and how many are started."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu.timing import seconds_each
from benchmarks.gpu.world import FIRST, Facts, Measurements, Training, World, draws, paper

_STEPS = 5
_ROWS = 20


def measure(world: World) -> Measurements:
    """The kernels of a training step, at the first and at every learner's meta-batch."""
    sizes = (world.sizes.meta_batches[0], world.sizes.every_learner_at)
    for meta_batch in dict.fromkeys(sizes):
        yield partial(_step, world, meta_batch)


def _step(world: World, meta_batch: int) -> Iterator[Facts]:
    training = Training(paper(FIRST), world.inputs, world.device)
    tasks = next(world.rows().batches(meta_batch, draws(), None))
    seconds = seconds_each(world, lambda: training.step(tasks))
    activities = [ProfilerActivity.CPU]
    if world.is_cuda:
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as made:
        for _ in range(_STEPS):
            training.step(tasks)
        world.synchronize()
    table = made.key_averages()
    launches = sum(event.count for event in table if event.key.startswith("cudaLaunchKernel"))
    by = "self_device_time_total" if world.is_cuda else "self_cpu_time_total"
    busy = sum(getattr(event, by) for event in table if _is_kernel(event, world)) / _STEPS
    yield {
        "what": "step",
        "learner": FIRST,
        "meta_batch": len(tasks),
        "milliseconds": round(seconds * 1e3, 3),
        "busy_milliseconds": round(busy / 1e3, 3),
        "launches": launches / _STEPS if world.is_cuda else None,
        "text": table.table(sort_by=by, row_limit=_ROWS, max_name_column_width=70),
    }


def _is_kernel(event: object, world: World) -> bool:
    """Of a GPU's events those that are kernels; of a CPU's all, each by its own time."""
    if not world.is_cuda:
        return True
    return str(getattr(event, "device_type", "")).endswith("CUDA")
