"""MeLU the way public codes compute it: a Python loop over tasks, autograd for the local step.

Correct second-order gradients by `functional_call` and `autograd.grad`, embeddings by index; the
same parameters as our learner, so that both can be asked for the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.func import functional_call

from meta_model.learners.melu import MeLU
from meta_model.tasks import Side, Tasks


class PerTaskLoop:
    """Adapts and predicts one task after the other with the learner's own parameters."""

    def __init__(self, learner: MeLU) -> None:
        self.learner = learner
        first, *others = learner.decision.layers
        hidden = (module for layer in others for module in (nn.ReLU(), layer))
        self.network = nn.Sequential(first, *hidden)
        self.rates = learner.decision.log_rates.exp().detach()

    def global_update(self, optimizer: torch.optim.Optimizer, tasks: Tasks) -> float:
        """One step on the mean loss of the tasks' queries; the loss."""
        losses = [
            (self._predict(user, query, weights) - query_ratings).square().mean()
            for user, weights, query, query_ratings in self._adapted(tasks, second_order=True)
        ]
        loss = torch.stack(losses).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.learner.parameters(), self.learner.config.clip_norm)
        optimizer.step()
        return loss.item()

    def evaluate(self, tasks: Tasks) -> list[Tensor]:
        """The predictions of each task's query."""
        return [
            self._predict(user, query, weights).detach()
            for user, weights, query, _ in self._adapted(tasks, second_order=False)
        ]

    def score(self, tasks: Tasks, items: Tensor, top_items: int) -> list[Tensor]:
        """The best items of each task, of all `items`."""
        with torch.no_grad():
            vectors = self.learner.item_embedding(*self.learner.item_attributes(items))
        return [
            items[self._of_vectors(user, vectors, weights).detach().topk(top_items).indices]
            for user, weights, _, _ in self._adapted(tasks, second_order=False)
        ]

    def _adapted(
        self, tasks: Tasks, second_order: bool
    ) -> Iterator[tuple[Tensor, dict[str, Tensor], Tensor, Tensor]]:
        """Each task's user, adapted weights, query items and query ratings."""
        for task in range(len(tasks)):
            user = tasks.users[task : task + 1]
            items, ratings = _real(tasks, tasks.support, task)
            weights = dict(self.network.named_parameters())
            for rates in self.rates:
                loss = (self._predict(user, items, weights) - ratings).square().mean()
                gradients = torch.autograd.grad(
                    loss, list(weights.values()), create_graph=second_order
                )
                weights = {
                    name: weight - rate * gradient
                    for (name, weight), rate, gradient in zip(
                        weights.items(), rates.repeat_interleave(2), gradients, strict=True
                    )
                }
            yield user, weights, *_real(tasks, tasks.query, task)

    def _predict(self, user: Tensor, items: Tensor, weights: dict[str, Tensor]) -> Tensor:
        learner = self.learner
        return self._of_vectors(
            user, learner.item_embedding(*learner.item_attributes(items)), weights
        )

    def _of_vectors(self, user: Tensor, items: Tensor, weights: dict[str, Tensor]) -> Tensor:
        learner = self.learner
        # A user's attributes are rows beside each item's, as the public codes have them.
        of_user = learner.user_embedding(*learner.user_attributes(user.expand(len(items))))
        predicted: Tensor = functional_call(
            self.network, weights, (torch.cat([of_user, items], dim=1),)
        )
        return predicted.squeeze(-1)


def _real(tasks: Tasks, side: Side, task: int) -> tuple[Tensor, Tensor]:
    """Items and ratings of one task, without padding."""
    mask = side.mask[task]
    return tasks.items[side.places[task][mask]], side.ratings[task][mask]
