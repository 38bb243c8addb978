"""A method the way public codes compute it: a Python loop over tasks, autograd for local steps.

An `nn.Embedding` for each attribute, by index; a task's rows are whole inputs, the user's
attributes beside each item's. A loop takes over the weights of a learner in the paper's
configuration, so that both can be asked for the same numbers: the loops are what throughput is
measured against, and what the learners' gradients are tested against.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.data.interaction_set import InteractionSet
from meta_model.data.tasks import Tasks
from meta_model.encoders.embedding import Attributes, FeatureEmbedding
from meta_model.learners.rating_learner import RatingLearner

USER_TABLE, ITEM_TABLE = "users.embedding.table", "items.embedding.table"


class AttributeTables(nn.Module):
    """An embedding table for each attribute; the mean over an attribute's several values."""

    def __init__(self, attributes: Attributes, embedding: FeatureEmbedding) -> None:
        super().__init__()
        starts: list[int] = attributes.starts.tolist()
        self.attributes, self.starts = attributes, starts
        shared: Tensor = embedding.table
        tables = [shared[1 + i : 1 + j] for i, j in pairwise(starts)]
        nothing = shared[:1]
        self.tables = nn.ModuleList(
            nn.Embedding.from_pretrained(
                torch.cat([nothing, table]).detach().clone(), freeze=False, padding_idx=0
            )
            for table in tables
        )

    def forward(self, indices: Tensor) -> Tensor:
        """Vectors [N, V] of users or items, the attributes' vectors side by side."""
        values, _ = self.attributes(indices)
        parts = []
        for number, table in enumerate(self.tables):
            of_attribute = (values[:, number] - self.starts[number]).clamp(min=0)
            known = (of_attribute > 0).sum(1, keepdim=True).clamp(min=1)
            parts.append(table(of_attribute).sum(1) / known)
        return torch.cat(parts, dim=1)

    def gradient(self) -> Tensor:
        """Of all tables, one below the other as the learner has them."""
        weights = list(self.tables.parameters())
        gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        return torch.cat([gradients[0][:1], *(gradient[1:] for gradient in gradients)])


@dataclass(frozen=True)
class Task:
    """One task without padding: user [1]; items and ratings of its support [S] and query [Q]."""

    user: Tensor
    support: tuple[Tensor, Tensor]
    query: tuple[Tensor, Tensor]


class PerTaskLoop(ABC):
    """Adapts and predicts one task after the other; `weights` are the learner's, by name."""

    def __init__(self, learner: RatingLearner[Any, Any]) -> None:
        self.config = learner.config
        self.learner: Any = learner  # whichever it is: its loop knows
        self.users = AttributeTables(learner.users.attributes, learner.users.embedding)
        self.items = AttributeTables(learner.items.attributes, learner.items.embedding)
        self.weights = {
            name: nn.Parameter(parameter.detach().clone())
            for name, parameter in learner.named_parameters()
            if name not in (USER_TABLE, ITEM_TABLE)
        }
        self.parameters = [
            *self.weights.values(), *self.users.parameters(), *self.items.parameters()
        ]  # fmt: skip
        # As the learner has it: a rate kept as a float32 logarithm is not quite the config's.
        rates = [w for name, w in self.weights.items() if "log_rates" in name]
        self.rate = rates[0].exp().flatten()[0].item() if rates else self.config.local_update.rate
        self.optimizer = torch.optim.Adam(self.parameters, lr=self.config.training.global_rate)

    @abstractmethod
    def fit(self, task: Task, second_order: bool) -> Any:
        """What the task has of its own, from its support."""

    @abstractmethod
    def forecast(self, task: Task, fitted: Any, items: Tensor) -> Tensor:
        """Forecasts of the items [N], like the learner's of one task."""

    def loss(self, forecast: Tensor, ratings: Tensor) -> Tensor:
        """The local and global loss of a task: the mean squared error over [N]."""
        return (forecast - ratings).square().mean()

    def score(self, forecast: Tensor) -> Tensor:
        """The score [N] that ranks items, from a forecast; by default the forecast itself."""
        return forecast

    def write_memories(self, fitted: list[Any]) -> None:
        """What a method with memories does beside gradients, once a batch."""
        assert not self.memories(), "memories need a way to be written"

    def memories(self) -> list[Tensor]:
        """Buffers that `write_memories` changes, to compare with the learner's; by default none."""
        return []

    def global_update(self, tasks: Tasks) -> float:
        """One step on the mean loss of the tasks' queries; the loss."""
        loss, fitted = self._backward(tasks)
        nn.utils.clip_grad_norm_(self.parameters, self.config.training.clip_norm)
        self.optimizer.step()
        self.write_memories(fitted)
        return loss

    def gradients(self, tasks: Tasks) -> dict[str, Tensor]:
        """Of the mean loss, by the names of the learner's parameters."""
        self._backward(tasks)
        tables = {USER_TABLE: self.users.gradient(), ITEM_TABLE: self.items.gradient()}
        own = {name: weight.grad for name, weight in self.weights.items()}
        return tables | {name: gradient for name, gradient in own.items() if gradient is not None}

    def evaluate(self, tasks: Tasks) -> list[Tensor]:
        """The forecasts of each task's query."""
        return [
            self.forecast(task, self.fit(task, second_order=False), task.query[0]).detach()
            for task in _each(tasks)
        ]

    def rank(self, tasks: Tasks, items: Tensor, k: int) -> list[Tensor]:
        """The best of all `items` for each task."""
        forecasts = (
            self.forecast(task, self.fit(task, second_order=False), items).detach()
            for task in _each(tasks)
        )
        return [items[self.score(forecast).topk(k).indices] for forecast in forecasts]

    def named(self, prefix: str) -> dict[str, Tensor]:
        """The weights of one of the learner's modules, by their names in it."""
        start = prefix + "."
        return {n.removeprefix(start): w for n, w in self.weights.items() if n.startswith(start)}

    def _backward(self, tasks: Tasks) -> tuple[float, list[Any]]:
        self.optimizer.zero_grad()
        losses, fitted = [], []
        for task in _each(tasks):
            items, ratings = task.query
            fitted.append(self.fit(task, second_order=True))
            losses.append(self.loss(self.forecast(task, fitted[-1], items), ratings))
        loss = torch.stack(losses).mean()
        loss.backward()
        return loss.item(), fitted


def steps(
    loss: Callable[[Mapping[str, Tensor]], Tensor],
    weights: Mapping[str, Tensor],
    rate: float,
    n_steps: int,
    second_order: bool,
) -> dict[str, Tensor]:
    """Gradient steps on weights, by their names."""
    moved = dict(weights)
    for _ in range(n_steps):
        gradients = torch.autograd.grad(
            loss(moved), list(moved.values()), create_graph=second_order, allow_unused=True
        )
        moved = {
            name: weight if gradient is None else weight - rate * gradient
            for (name, weight), gradient in zip(moved.items(), gradients, strict=True)
        }
    return moved


def linear_layers(weights: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Of `FastWeightLayers`: weights [I, O] and biases in turns, ReLU between the layers."""
    tensors = list(weights.values())
    for number in range(0, len(tensors), 2):
        x = (F.relu(x) if number else x) @ tensors[number] + tensors[number + 1]
    return x


def _each(tasks: Tasks) -> Iterator[Task]:
    for number in range(len(tasks)):
        yield Task(
            tasks.users[number : number + 1],
            _real(tasks, tasks.support, number),
            _real(tasks, tasks.query, number),
        )


def _real(tasks: Tasks, side: InteractionSet, task: int) -> tuple[Tensor, Tensor]:
    """Items and ratings of one task, without padding."""
    mask = side.mask[task]
    return tasks.items[side.rows[task][mask]], side.ratings[task][mask]
