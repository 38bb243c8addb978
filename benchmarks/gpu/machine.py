"""Stage 1: what the machine is, and its two ceilings: moving bytes, and multiplying matrices."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator

import torch

from benchmarks.gpu.timing import seconds_each
from benchmarks.gpu.world import Facts, Measurements, World


def measure(world: World) -> Measurements:
    """The machine's facts, GB/s of a copy and TFLOPS of a float32 product."""
    yield lambda: _machine(world)


def _machine(world: World) -> Iterator[Facts]:
    facts: dict[str, object] = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cpu_cores": os.cpu_count(),
    }
    if world.is_cuda:
        about = torch.cuda.get_device_properties(world.device)
        facts |= {
            "gpu": about.name,
            "gpu_memory_gib": round(about.total_memory / 2**30, 1),
            "multiprocessors": about.multi_processor_count,
            "cuda": torch.version.cuda,
        }
    yield {"what": "machine", **facts}
    n = 2**28 if world.is_cuda else 2**22
    source = torch.randn(n, device=world.device)
    target = torch.empty_like(source)
    copying = seconds_each(world, lambda: target.copy_(source))
    yield {"what": "copy", "gigabytes_per_second": round(2 * source.nbytes / copying / 1e9, 1)}
    size = 8192 if world.is_cuda else 512
    matrix = torch.randn(size, size, device=world.device)
    multiplying = seconds_each(world, lambda: matrix @ matrix)
    yield {"what": "float32 product", "teraflops": round(2 * size**3 / multiplying / 1e12, 2)}
