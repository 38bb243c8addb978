"""What all stages measure: learners on tasks of the paper's shape, and how much of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.inputs import paper_tasks
from benchmarks.loops import LOOPS
from meta_model.config import Config
from meta_model.data.batching import batches_of
from meta_model.data.inputs import Inputs
from meta_model.data.ragged import Ragged
from meta_model.data.resident import TrainingRows
from meta_model.data.tasks import Tasks
from meta_model.learners import Learner, create
from meta_model.training.global_update import Progress, global_update, optimizer_of

Facts = Mapping[str, object]
# A stage is one measurement after the other, each of which may fail alone.
Measurements = Iterator[Callable[[], Iterable[Facts]]]

FIRST = "melu"
AT = Progress(epoch=1, step=1, share=0.5)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured; `TINY` shows in a test that every stage runs."""

    n_tasks: int = 65_536
    meta_batches: tuple[int, ...] = (32, 256, 1024, 8192)
    every_learner_at: int = 1024
    parity_tasks: int = 48
    steps_of_determinism: int = 50
    seconds_a_rate: float = 1.0
    rounds: int = 5  # of what is timed by the call
    loop_tasks: int = 8
    epochs: int | None = None  # of the accuracy; None: the config's
    learners: tuple[str, ...] = (FIRST, *sorted(set(LOOPS) - {FIRST}))


TINY = Sizes(
    n_tasks=64,
    meta_batches=(8,),
    every_learner_at=8,
    parity_tasks=4,
    steps_of_determinism=2,
    seconds_a_rate=0.0,
    rounds=1,
    loop_tasks=1,
    epochs=1,
)


@dataclass(frozen=True, kw_only=True)
class World:
    """The inputs, the device, and the folder of public splits, if there is one."""

    inputs: Inputs
    device: torch.device
    sizes: Sizes
    data: Path | None

    @staticmethod
    def make(scratch: Path, device: torch.device, sizes: Sizes, data: Path | None) -> World:
        """Made-up tasks of MovieLens-1M's sizes in `scratch`; `data` has the public splits."""
        episodes = paper_tasks.write(scratch / "tasks.parquet", sizes.n_tasks, seed=1)
        return World(inputs=paper_tasks.inputs(episodes), device=device, sizes=sizes, data=data)

    @property
    def is_cuda(self) -> bool:
        """Whether the device is an NVIDIA GPU; `--device cpu` tries the stages without one."""
        return self.device.type == "cuda"

    def rows(self, device: torch.device | None = None) -> TrainingRows:
        """All tasks, kept on the device."""
        return TrainingRows(self.inputs.episodes, device or self.device, 1 << 30)

    def batch(self, n_tasks: int, device: torch.device) -> Tasks:
        """One ragged batch of the first tasks, which are of all lengths."""
        first = next(self.inputs.episodes.buffers()).slice(0, n_tasks)
        return next(batches_of(Ragged.of(first, device), n_tasks))

    def synchronize(self) -> None:
        """Wait until the GPU has done all that was asked of it, as clocks need; no-op on a CPU."""
        if self.is_cuda:
            torch.cuda.synchronize()


def paper(name: str) -> Config:
    """As in its paper, by exact second order: one local step, attributes alone."""
    return Config(model=name).paper()


def without_chance(name: str) -> Config:
    """With all options, less those that draw at random."""
    chance = ("network.dropout", "network.cold_item_dropout", "network.cold_task_dropout")
    return Config(model=name).having(dict.fromkeys(chance, 0.0))


def made(config: Config, inputs: Inputs, device: torch.device) -> Learner:
    """The same weights on every device."""
    torch.manual_seed(1)
    return copy.deepcopy(create(config, inputs)).to(device)


class Training:
    """A learner with its optimizer; each call of `step` is a whole global update."""

    def __init__(self, config: Config, inputs: Inputs, device: torch.device) -> None:
        self.config = config
        self.learner = made(config, inputs, device)
        self.optimizer = optimizer_of(self.learner, config, device)

    def step(self, tasks: Tasks) -> torch.Tensor:
        """One global update on the tasks; returns the mean loss, still on the device."""
        parts = [(0, tasks)]
        return global_update(self.learner, self.optimizer, parts, self.config, AT)[0]


def draws(seed: int = 1) -> np.random.Generator:
    """Random draws that repeat for the same seed."""
    return np.random.default_rng(seed)
