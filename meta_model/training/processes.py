"""Data-parallel training: one run over several processes, each with a part of the shards.

`torchrun --nproc-per-node=N -m meta_model meta_train ...` starts the N processes and tells each its
rank. Every process holds all parameters; gradients are summed over the processes, so that a step
is the same whichever process computed which shard.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist


@dataclass(frozen=True)
class Processes:
    """This process's rank among the run's `count` processes."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes: journal, checkpoints, model."""
        return self.rank == 0

    def shards(self, of: int) -> range:
        """The numbers of this process's shards among `of`, as many for every process."""
        return range(self.rank, of, self.count)

    def sum(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the processes; all processes must call it."""
        if self.count == 1:
            return
        # One message for all of them: a message costs more than its bytes.
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, summed in zip(tensors, parts, strict=True):
            tensor.copy_(summed.view_as(tensor))


ALONE = Processes()


def rank_of(environment: Mapping[str, str] = os.environ) -> Processes:
    """Rank and number of processes by torchrun's variables; without them the first of one."""
    return Processes(int(environment.get("RANK", 0)), int(environment.get("WORLD_SIZE", 1)))


@contextmanager
def connected(device: torch.device) -> Iterator[Processes]:
    """Join the run's other processes for the block."""
    processes = rank_of()
    if processes.count == 1:
        yield processes
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield processes
    finally:
        dist.destroy_process_group()
