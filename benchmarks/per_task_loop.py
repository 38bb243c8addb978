"""MeLU the way public codes compute it: a Python loop over tasks, autograd for the local step.

Correct second-order gradients by `functional_call` and `autograd.grad`; an `nn.Embedding` for each
attribute, by index; a task's rows are whole inputs, the user's attributes beside each item's. It
takes over the weights of a learner, so that both can be asked for the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.func import functional_call

from meta_model.data.tasks import Side, Tasks
from meta_model.learners.embedding import Attributes, ValueEmbedding
from meta_model.learners.melu import MeLU


class AttributeTables(nn.Module):
    """An embedding table for each attribute; the mean over an attribute's several values."""

    def __init__(self, attributes: Attributes, embedding: ValueEmbedding) -> None:
        super().__init__()
        self.attributes, self.starts = attributes, attributes.starts.tolist()
        tables = [embedding.table[1 + i : 1 + j] for i, j in pairwise(self.starts)]
        nothing = embedding.table[:1]
        self.tables = nn.ModuleList(
            nn.Embedding.from_pretrained(  # type: ignore[no-untyped-call]
                torch.cat([nothing, table]).detach().clone(), freeze=False, padding_idx=0
            )
            for table in tables
        )

    def forward(self, indices: Tensor) -> Tensor:
        values, _ = self.attributes(indices)
        parts = []
        for number, table in enumerate(self.tables):
            of_attribute = (values[:, number] - self.starts[number]).clamp(min=0)
            known = (of_attribute > 0).sum(1, keepdim=True).clamp(min=1)
            parts.append(table(of_attribute).sum(1) / known)
        return torch.cat(parts, dim=1)


class PerTaskLoop:
    """Adapts and predicts one task after the other."""

    def __init__(self, learner: MeLU) -> None:
        self.config = learner.config
        self.users = AttributeTables(learner.users.attributes, learner.users.embedding)
        self.items = AttributeTables(learner.items.attributes, learner.items.embedding)
        sizes = (
            self.config.embedding_size * (len(self.users.tables) + len(self.items.tables)),
            *self.config.hidden_sizes,
            1,
        )
        first, *others = (nn.Linear(i, o) for i, o in pairwise(sizes))
        hidden = (module for layer in others for module in (nn.ReLU(), layer))
        self.network = nn.Sequential(first, *hidden)
        layers = [module for module in self.network if isinstance(module, nn.Linear)]
        nn.ModuleList(layers).load_state_dict(learner.decision.layers.state_dict())
        self.all = nn.ModuleList([self.users, self.items, self.network]).to(
            learner.statistics.counts.device
        )
        self.optimizer = torch.optim.Adam(self.all.parameters(), lr=self.config.global_rate)

    def global_update(self, tasks: Tasks) -> float:
        """One step on the mean loss of the tasks' queries; the loss."""
        losses = [
            (self._predict(user, query, weights) - ratings).square().mean()
            for user, weights, query, ratings in self._adapted(tasks, second_order=True)
        ]
        loss = torch.stack(losses).mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.all.parameters(), self.config.clip_norm)
        self.optimizer.step()
        return loss.item()

    def evaluate(self, tasks: Tasks) -> list[Tensor]:
        """The predictions of each task's query."""
        return [
            self._predict(user, query, weights).detach()
            for user, weights, query, _ in self._adapted(tasks, second_order=False)
        ]

    def score(self, tasks: Tasks, items: Tensor, k: int) -> list[Tensor]:
        """The best of all `items` for each task."""
        return [
            items[self._predict(user, items, weights).detach().topk(k).indices]
            for user, weights, _, _ in self._adapted(tasks, second_order=False)
        ]

    def _adapted(
        self, tasks: Tasks, second_order: bool
    ) -> Iterator[tuple[Tensor, dict[str, Tensor], Tensor, Tensor]]:
        """Each task's user, adapted weights, query items and query ratings."""
        rate = self.config.local_rate
        for task in range(len(tasks)):
            user = tasks.users[task : task + 1]
            items, ratings = _real(tasks, tasks.support, task)
            weights: dict[str, Tensor] = dict(self.network.named_parameters())
            for _ in range(self.config.local_steps):
                loss = (self._predict(user, items, weights) - ratings).square().mean()
                gradients = torch.autograd.grad(
                    loss, list(weights.values()), create_graph=second_order
                )
                weights = {
                    name: weight - rate * gradient
                    for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
                }
            yield user, weights, *_real(tasks, tasks.query, task)

    def _predict(self, user: Tensor, items: Tensor, weights: dict[str, Tensor]) -> Tensor:
        x = torch.cat([self.users(user.expand(len(items))), self.items(items)], dim=1)
        predicted: Tensor = functional_call(self.network, weights, (x,))
        return predicted.squeeze(-1)


def _real(tasks: Tasks, side: Side, task: int) -> tuple[Tensor, Tensor]:
    """Items and ratings of one task, without padding."""
    mask = side.mask[task]
    return tasks.items[side.places[task][mask]], side.ratings[task][mask]
