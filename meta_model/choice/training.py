"""Training for choices: of each task some interactions are shown, and the others are to be chosen.

The loss is the mean negative log likelihood of a task's other items in a softmax over the whole
catalogue (multinomial likelihood, Liang et al., WWW 2018).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from meta_model.choice.ridge import Ridge
from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Side, Tasks


@dataclass(frozen=True, kw_only=True)
class Training:
    """`decay`: of the embeddings; `nothing`: the share of tasks that show nothing."""

    size: int = 48
    dropout: float = 0.2
    epochs: int = 30
    batch_tasks: int = 128
    rate: float = 0.005
    decay: float = 0.1
    nothing: float = 0.05
    seed: int = 1


def train(
    inputs: Inputs, training: Training, watch: Callable[[int, float], None] = lambda _e, _l: None
) -> Ridge:
    """A model of the training tasks' choices; `watch` is told each epoch and its mean loss."""
    torch.manual_seed(training.seed)
    model = Ridge(inputs, training.size, training.dropout)
    embeddings = [model.own, model.of_items.table, model.of_users.table]
    others = [p for p in model.parameters() if all(p is not e for e in embeddings)]
    groups = [
        {"params": embeddings, "weight_decay": training.decay},
        {"params": others, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=training.rate)
    episodes = inputs.episodes.split("train")
    n_steps = training.epochs * -(-episodes.n_tasks // training.batch_tasks)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, training.rate, total_steps=n_steps + training.epochs
    )
    for epoch in range(1, training.epochs + 1):
        draws = np.random.default_rng([training.seed, epoch])
        generator = torch.Generator().manual_seed(int(draws.integers(2**62)))
        total, n = 0.0, 0
        for tasks in batches(episodes, training.batch_tasks, draws):
            shown = split(tasks, training.nothing, generator)
            loss = loss_of(model, shown)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total, n = total + loss.item() * len(tasks), n + len(tasks)
        watch(epoch, total / n)
    return model.eval()


def loss_of(model: Callable[[Tasks], Tensor], tasks: Tasks) -> Tensor:
    """The mean over tasks of the mean negative log likelihood of their query's items.

    An item that cannot be chosen, because training has not seen it or it was shown, does not count.
    """
    query = tasks.query
    log_probabilities = model(tasks).gather(1, tasks.items[query.places])
    counts = query.mask & log_probabilities.isfinite()
    of_items = -torch.where(counts, log_probabilities, 0)
    return (of_items.sum(1) / counts.sum(1).clamp(min=1)).mean()


def split(tasks: Tasks, nothing: float, generator: torch.Generator) -> Tasks:
    """The tasks with some of their support shown, and the rest of it to be chosen.

    How many are shown: half the time any number alike, half the time small ones rather than large
    ones (any logarithm alike), so that users of one and of fifty interactions count as much.
    """
    whole = tasks.support
    lengths, width = whole.mask.sum(1), whole.mask.shape[1]
    order = torch.rand(whole.mask.shape, generator=generator).masked_fill(~whole.mask, 2).argsort(1)
    mixed = whole.map(lambda tensor: tensor.gather(1, order))
    share, kind = torch.rand(2, len(tasks), generator=generator)
    most = (lengths - 1).clamp(min=0)
    alike, small = share * (most + 1), (share * (most + 1).log()).exp()
    sizes = torch.where(kind < 0.5, alike, small).long().clamp(max=most)
    sizes = sizes * (torch.rand(len(tasks), generator=generator) >= nothing)
    is_shown = torch.arange(width) < sizes.unsqueeze(1)
    sides = (mixed.mask & is_shown, mixed.mask & ~is_shown)
    support, query = (Side(places=mixed.places, ratings=mixed.ratings, mask=m) for m in sides)
    return replace(tasks, support=support, query=query)
