"""The global update: one step of the shared parameters on a batch of adapted tasks.

A batch has one part for each shard. The gradient is that of the mean over all tasks of all parts,
summed over processes, so that it does not matter which process computed which part. What is drawn
(dropout, cold items) is seeded by the epoch, step and shard of a part: a resumed run, and one with
another number of processes, draws the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from meta_model.config import Config, TrainingConfig
from meta_model.data.tasks import Tasks
from meta_model.learners import Learner
from meta_model.learners.learner import ItemCatalogue, TaskState
from meta_model.training.processes import ALONE, Processes


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The epoch, from 1, and its step, from 0; `share` of the run's steps that are done."""

    epoch: int
    step: int
    share: float


def optimizer_of(learner: Learner, config: Config, device: torch.device) -> torch.optim.Optimizer:
    """AdamW over the learner's parameter groups, each with its rate and decay."""
    training = config.training
    groups = [
        {
            "params": group.parameters,
            "lr": training.global_rate * group.rate,
            "full_rate": training.global_rate * group.rate,
            "weight_decay": training.weight_decay * group.decay,
        }
        for group in learner.parameter_groups()
        if group.parameters
    ]
    return torch.optim.AdamW(groups, fused=device.type in ("cpu", "cuda"))


def global_update(
    learner: Learner,
    optimizer: torch.optim.Optimizer,
    parts: Sequence[tuple[int, Tasks]],
    config: Config,
    progress: Progress,
    processes: Processes = ALONE,
) -> tuple[Tensor, int]:
    """One step on the parts of a batch; the mean loss and the number of tasks.

    parts: each with the number of its shard

    The loss stays on the device (`losses`): a single process never waits for a GPU here.
    """
    learner.train()
    parameters = [p for p in learner.parameters() if p.requires_grad]
    optimizer.zero_grad(set_to_none=True)
    totals = torch.zeros(2, device=parameters[0].device)
    writes = [torch.zeros_like(memory) for memory in learner.memories()]
    for shard, tasks in parts:
        _draw_from(_seed(config.seed, progress.epoch, progress.step, shard), tasks.users.device)
        loss_of_part, state = _add_gradients(learner, tasks, config)
        for write, of_part in zip(writes, learner.memory_writes(state), strict=True):
            write += of_part
        totals[0] += loss_of_part
        totals[1] += len(tasks)
    n_tasks = sum(len(tasks) for _, tasks in parts)
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    processes.sum([*gradients, *writes, totals])
    if processes.count > 1:
        n_tasks = int(totals[1])
    if n_tasks == 0:
        return totals[0].double(), 0
    torch._foreach_div_(gradients, float(n_tasks))
    nn.utils.clip_grad_norm_(parameters, config.training.clip_norm)
    for group in optimizer.param_groups:
        group["lr"] = group["full_rate"] * _schedule(progress.share, config.training)
    optimizer.step()
    learner.write_memories([write / n_tasks for write in writes])
    return totals[0].double() / n_tasks, n_tasks


def task_losses(
    learner: Learner[TaskState, ItemCatalogue], tasks: Tasks
) -> tuple[Tensor, TaskState]:
    """The mean loss [B] of each task's query after the local update, and the adapted state."""
    catalogue = learner.embed(tasks.items)
    state = learner.adapt(tasks, catalogue)
    forecasts = learner.predict(state, catalogue, learner.statistics.query(tasks))
    return learner.task_losses(state, forecasts, tasks.query), state


def _add_gradients(
    learner: Learner[TaskState, ItemCatalogue], tasks: Tasks, config: Config
) -> tuple[Tensor, TaskState]:
    """Add the gradient of the sum of the tasks' losses; return the sum and the adapted state.

    Reptile (Nichol et al. 2018) adapts to all of a task's interactions, and moves the adapted
    parameters towards their adapted values. The other parameters get the gradient of the loss.
    """
    is_reptile = config.local_update.gradient == "reptile"
    losses, state = task_losses(learner, tasks.whole() if is_reptile else tasks)
    loss = losses.sum()
    deltas = learner.adaptation_deltas(state) if is_reptile else {}
    before = {p: 0 if p.grad is None else p.grad.clone() for p in deltas}
    loss.backward()
    for parameter, delta in deltas.items():
        parameter.grad = before[parameter] - delta.detach()
    return loss.detach(), state


def _schedule(share: float, training: TrainingConfig) -> float:
    """The factor of the global rate: linear warm-up, then cosine decay to zero."""
    if share < training.warm_up:
        return share / training.warm_up + 1e-3
    return 0.5 * (1 + math.cos(math.pi * share))


def _draw_from(seed: int, device: torch.device) -> None:
    """Seed the generator of the device alone: torch.manual_seed seeds all, which takes long."""
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


def _seed(*path: int) -> int:
    return int(np.random.SeedSequence(path).generate_state(1, np.uint64)[0] >> 1)
