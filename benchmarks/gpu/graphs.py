"""An experiment: a whole step as a CUDA graph, which starts all its kernels at once.

A step of a small batch is a few hundred kernels of some microseconds, and starting them one by one
takes longer than they do. A graph needs shapes that stay the same: batches of one length bucket.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmarks.gpu.timing import seconds_each
from benchmarks.gpu.world import Facts, World, made, paper
from meta_model.data.tasks import Tasks
from meta_model.learners import Learner
from meta_model.training.global_update import task_losses

_WARM_UPS = 3


def loss_of(learner: Learner, tasks: Tasks) -> float:
    """The mean loss of the tasks, by the learner as it is."""
    losses, _ = task_losses(learner, tasks)
    return float(losses.mean())


def beside_eager(world: World, tasks: Tasks) -> Facts:
    """Tasks per second of a step that is replayed, beside one whose kernels are started singly."""
    step = _Step(world, tasks)
    eager = seconds_each(world, step)
    before = float(step())
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(_WARM_UPS):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    step.optimizer.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        loss = step()
    replayed = seconds_each(world, graph.replay)
    return {
        "meta_batch": len(tasks),
        "tasks_per_second": round(len(tasks) / replayed, 1),
        "tasks_per_second_without": round(len(tasks) / eager, 1),
        "loss_went_on": float(loss) < before,
    }


class _Step:
    """A global update without what a graph cannot hold: a rate that changes, draws, accounts."""

    def __init__(self, world: World, tasks: Tasks) -> None:
        self.config, self.tasks = paper("melu"), tasks
        self.learner = made(self.config, world.inputs, world.device).train()
        self.parameters = [p for p in self.learner.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=self.config.training.global_rate, fused=True, capturable=True
        )

    def __call__(self) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        losses, _ = task_losses(self.learner, self.tasks)
        loss = losses.mean()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, self.config.training.clip_norm)
        self.optimizer.step()
        return loss.detach()
