"""Chooses the device, and makes its results repeatable."""

from __future__ import annotations

import ctypes
import os
import platform

import torch

from schemas.errors import UserError

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # mallopt's names for its parameters


def choose_device(name: str, threads: int = 1, tf32: bool = False) -> torch.device:
    """`auto` is the GPU when there is one; asking for a missing GPU is a `UserError`.

    With `tf32` a GPU multiplies float32 matrices by TF32, which keeps 10 of a factor's 23 bits.

    The number of CPU threads is part of the result: sums split over threads round differently.
    One is the default, because a batch of small tasks gives two threads little to share, and on a
    busy machine they spend their time waiting for each other.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "device is 'cuda', and PyTorch sees no GPU; "
            "use --device auto or cpu, or repair the driver."
        )
    # cuBLAS reads this when CUDA starts; without it, its sums may differ from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    torch.use_deterministic_algorithms(True, warn_only=name != "cpu")
    # Nothing here reads what it has not written; filling it first costs a tenth of the time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    _keep_freed_memory()
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    # Each of torchrun's processes on a machine has a GPU of its own.
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    torch.cuda.set_device(device)  # whose random state `torch.cuda.manual_seed` seeds
    return device


def works_ahead(device: torch.device) -> bool:
    """Whether Python goes on while the device computes, and waits where it asks for a result."""
    return device.type == "cuda"


def _keep_freed_memory() -> None:
    """Have glibc reuse the memory of freed tensors instead of handing it back to the kernel.

    Every batch needs tensors of the same sizes again; to map them again, page by page, takes a
    tenth of a training step. Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(_M_TRIM_THRESHOLD, 1 << 30)
