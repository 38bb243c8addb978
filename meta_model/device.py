"""Chooses the device, and makes its results repeatable."""

from __future__ import annotations

import torch

from schemas.errors import UserError


def choose_device(name: str) -> torch.device:
    """`auto` is the GPU when there is one; asking for a missing GPU is a `UserError`."""
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError(
            "device is 'cuda', and PyTorch sees no GPU; "
            "use --device auto or cpu, or mend the driver."
        )
    torch.use_deterministic_algorithms(True, warn_only=name != "cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
