"""Training for choices: of each task some interactions are shown, and the others are to be chosen.

The loss (`choice.loss`) is over the whole catalogue, or over a sample of a large one
(`choice.sampling`). Where a task's interactions are in order of time, the next ones after those
shown are to be chosen, as it is when the model serves; without an order, all others are.

Every learner has the same loss, tasks and optimizer. Ridge learns its posterior with all else. The
local update of another learner leaves w0 and l of `choice.posterior`, and perhaps r, as they were
at the start; a last pass then fits them, and nothing else, to the factors that were learnt. Lists
stay as they are: the posterior chooses evidence and the next question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from meta_model.choice.learners import LEARNERS
from meta_model.choice.loss import finite, loss_of
from meta_model.choice.model import ChoiceModel, Items
from meta_model.choice.posterior import posterior_means
from meta_model.choice.sampling import Sampling
from meta_model.choice.schedule import set_rate
from meta_model.config import ChoiceConfig, ChoiceLearner, Config, TrainingConfig
from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.ragged import CPU
from meta_model.data.tasks import Tasks


class Regularisation(NamedTuple):
    """dropout: the share of factors that training hides; decays: times the config's decay."""

    dropout: float
    decays: float
    batch_tasks: int


# Hidden factors suit a night of MovieLens-100K, where next choices follow the order of time. Decay
# alone suits larger data and tasks without an order (docs/adr/0035).
REGULARISATIONS: Mapping[str, Regularisation] = {
    "light": Regularisation(dropout=0.0, decays=10.0, batch_tasks=128),
    "strong": Regularisation(dropout=0.4, decays=1.0, batch_tasks=64),
}
_POSTERIOR_RATE = 0.05  # of the pass that fits a posterior


@dataclass(frozen=True, kw_only=True)
class Training:
    """`decay`: of the embeddings; `nothing`: the share of tasks that show nothing.

    next_items: how many of the next ones are to be chosen, where interactions are in order
    hide_item: the share of items that a batch shows as new ones
    softmax_items: of a larger catalogue about so many are drawn into the softmax of a step
    """

    learner: ChoiceLearner = ChoiceConfig.learner
    size: int = ChoiceConfig.size
    dropout: float = 0.0
    epochs: int = ChoiceConfig.epochs
    batch_tasks: int = 128
    rate: float = 0.005
    decay: float = ChoiceConfig.decay
    nothing: float = 0.05
    hide_item: float = 0.15
    next_items: int = TrainingConfig.query_size
    softmax_items: int = ChoiceConfig.softmax_items
    seed: int = 1

    @staticmethod
    def of(config: Config, regularisation: str) -> Training:
        """For the episodes of a night, which are in order of time."""
        choice, regular = config.choice, REGULARISATIONS[regularisation]
        return Training(
            learner=choice.learner,
            size=choice.size,
            dropout=regular.dropout,
            epochs=choice.epochs,
            batch_tasks=regular.batch_tasks,
            decay=choice.decay * regular.decays,
            next_items=config.training.query_size,
            softmax_items=choice.softmax_items,
            seed=config.seed,
        )


def untrained(config: Config, inputs: Inputs) -> ChoiceModel:
    """The config's learner and size, its weights drawn from the global random state."""
    return LEARNERS[config.choice.learner](inputs, config.choice.size, dropout=0.0)


def train(
    inputs: Inputs,
    training: Training,
    watch: Callable[[int, float], None] = lambda _epoch, _loss: None,
    device: torch.device = CPU,
) -> ChoiceModel:
    """A model of the training tasks' choices; `watch` is told each epoch and its mean loss."""
    torch.manual_seed(training.seed)
    made = LEARNERS[training.learner]
    model = made(inputs, training.size, training.dropout, training.hide_item).to(device)
    embeddings = [model.own, model.of_items.table, model.of_users.table]
    others = [p for p in model.parameters() if all(p is not e for e in embeddings)]
    groups = [
        {"params": embeddings, "weight_decay": training.decay},
        {"params": others, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=training.rate)
    # With a batch more for each epoch: the schedule that the published figures were measured with.
    n_scheduled = training.epochs * (inputs.episodes.split("train").n_tasks + training.batch_tasks)
    sampling = Sampling.of(inputs.statistics().counts, training.softmax_items)
    seen = 0
    for epoch in range(1, training.epochs + 1):
        total, n = 0.0, 0
        for each in _drawn(inputs, training, epoch, device):
            set_rate(optimizer, training.rate, seen / n_scheduled)
            items, tasks = sampling.drawn(model.items(), each)
            loss = loss_of(partial(model, items=items), tasks, inputs.liked_from)
            value = finite(loss.item(), f"in epoch {epoch}")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, n = total + value * len(tasks), n + len(tasks)
            seen += len(tasks)
        watch(epoch, total / n)
    last = _drawn(inputs, training, training.epochs + 1, device)
    _fit_posterior(model.eval(), inputs, last, sampling)
    return model


def _drawn(inputs: Inputs, training: Training, epoch: int, device: torch.device) -> Iterator[Tasks]:
    """The batches of an epoch: of each task something is shown, and something to be chosen."""
    draws = np.random.default_rng([training.seed, epoch])
    generator = torch.Generator(device).manual_seed(int(draws.integers(2**62)))
    for tasks in batches(inputs.episodes.split("train"), training.batch_tasks, draws, on=device):
        chosen = tasks.whole().chosen(inputs.feedback)
        yield split(chosen, training.nothing, generator, training.next_items)


def _fit_posterior(
    model: ChoiceModel, inputs: Inputs, drawn: Iterable[Tasks], sampling: Sampling
) -> None:
    """Fit those parameters of the posterior that no gradient has reached in training."""
    of_posterior = (model.log_unchosen, model.log_ridge, model.of_rating)
    unused = [parameter for parameter in of_posterior if parameter.grad is None]
    if not unused:
        return
    optimizer = torch.optim.Adam(unused, _POSTERIOR_RATE)
    with torch.no_grad():
        catalogue = model.items()

    def log_probabilities(tasks: Tasks, items: Items) -> Tensor:
        users = posterior_means(model, tasks, items)
        return model.log_probabilities(model.of_both(users, items), tasks, items)

    for each in drawn:
        items, tasks = sampling.drawn(catalogue, each)
        loss = loss_of(partial(log_probabilities, items=items), tasks, inputs.liked_from)
        finite(loss.item(), "in the pass that fits the posterior")
        optimizer.zero_grad()
        loss.backward(inputs=unused)
        optimizer.step()


def split(tasks: Tasks, nothing: float, generator: torch.Generator, next_items: int) -> Tasks:
    """The tasks with some of their support shown, and of the rest of it what is to be chosen.

    How many are shown: half the time any number alike, half the time small ones rather than large
    ones (any logarithm alike), so that users of one and of fifty interactions count as much.
    In order of time the first ones are shown, and `next_items` after them are to be chosen; without
    it any are shown, and all others are to be chosen.
    """
    whole, device = tasks.support, tasks.users.device
    lengths, width = whole.mask.sum(1), whole.mask.shape[1]
    order = torch.arange(width, device=device).expand_as(whole.rows).double()
    if not tasks.is_ordered:
        order = torch.rand(whole.mask.shape, generator=generator, device=device)
    order = order.masked_fill(~whole.mask, torch.inf).argsort(dim=1, stable=True)
    ordered = whole.map(lambda tensor: tensor.gather(1, order))
    share, kind = torch.rand(2, len(tasks), generator=generator, device=device)
    most = (lengths - 1).clamp(min=0)
    alike, small = share * (most + 1), (share * (most + 1).log()).exp()
    sizes = torch.where(kind < 0.5, alike, small).long().clamp(max=most)
    shows_any = torch.rand(len(tasks), generator=generator, device=device) >= nothing
    sizes = (sizes * shows_any).unsqueeze(1)
    number = torch.arange(width, device=device)
    is_asked = number >= sizes
    if tasks.is_ordered:
        is_asked &= number < sizes + next_items
    masks = (ordered.mask & (number < sizes), ordered.mask & is_asked)
    support, query = (replace(ordered, mask=mask) for mask in masks)
    return tasks.asking(support, query)
