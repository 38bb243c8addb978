"""Chooses the device, and makes its results repeatable."""

from __future__ import annotations

import os

import torch

from schemas.errors import UserError


def choose_device(name: str, threads: int = 1) -> torch.device:
    """`auto` is the GPU when there is one; asking for a missing GPU is a `UserError`.

    The number of CPU threads is part of the result: sums split over threads round differently.
    One is the default, because a batch of small tasks gives two threads little to share, and on a
    busy machine they spend their time waiting for each other.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "device is 'cuda', and PyTorch sees no GPU; "
            "use --device auto or cpu, or mend the driver."
        )
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=name != "cpu")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    # Each of torchrun's processes on a machine has a GPU of its own.
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
