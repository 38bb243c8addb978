"""Cold-user scores: the items that each cold user will like best, never one they rated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.config import Config
from meta_model.inputs import Inputs
from meta_model.learners import Learner
from meta_model.tasks import Tasks, batches

_BATCH_TASKS = 64
_CHUNK_ITEMS = 4096


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The best items of a batch of users, in order.

    users, n_support, adapted: [B]; items, scores: [B, k]. Places past a user's last candidate
    hold item 0.
    """

    users: Tensor
    n_support: Tensor
    adapted: Tensor
    items: Tensor
    scores: Tensor


@torch.no_grad()
def score_cold_users(
    learner: Learner, inputs: Inputs, config: Config, device: torch.device
) -> Iterator[Scores]:
    """All serve tasks, batch by batch; memory does not grow with users times items."""
    learner.eval()
    for batch in batches(inputs.split("serve"), _BATCH_TASKS):
        tasks = batch.to(device)
        n_support = tasks.support_mask.sum(1)
        adapted = n_support >= config.min_adapt
        # Both kinds in one batch would need masks in every learner; two passes need nothing.
        for of_kind, is_adapted in ((adapted, True), (~adapted, False)):
            if of_kind.any():
                some = tasks[of_kind]
                items, scores = _top(learner, some, is_adapted, len(inputs.item_profiles), config)
                yield Scores(
                    users=some.users,
                    n_support=n_support[of_kind],
                    adapted=adapted[of_kind],
                    items=items,
                    scores=scores,
                )


def _top(
    learner: Learner, tasks: Tasks, is_adapted: bool, n_items: int, config: Config
) -> tuple[Tensor, Tensor]:
    """The best items and their scores [B, k], over the catalogue in chunks."""
    biases = learner.statistics.biases(tasks)
    state = learner.adapt(tasks, biases) if is_adapted else learner.unadapted(tasks)
    best_items = tasks.users.new_zeros(len(tasks), 0)
    best_scores = torch.zeros(len(tasks), 0, device=tasks.users.device)
    for start in range(1, n_items + 1, _CHUNK_ITEMS):
        stop = min(start + _CHUNK_ITEMS, n_items + 1)
        chunk = torch.arange(start, stop, device=tasks.users.device).unsqueeze(0)
        scores = learner.predict(state, chunk, learner.statistics.item_bias(chunk))
        scores = _without(scores, tasks, start, stop)
        items = torch.cat([best_items, chunk.expand(len(tasks), -1)], dim=1)
        scores = torch.cat([best_scores, scores], dim=1)
        # A stable sort, so that items of equal score rank by index on every machine.
        order = scores.argsort(dim=1, descending=True, stable=True)[:, : config.top_items]
        best_items, best_scores = items.gather(1, order), scores.gather(1, order)
    return best_items.masked_fill(best_scores == -torch.inf, 0), best_scores


def _without(scores: Tensor, tasks: Tasks, start: int, stop: int) -> Tensor:
    """-inf where the item, `start` <= item < `stop`, is in the task's support."""
    rated = tasks.support_mask & (tasks.support_items >= start) & (tasks.support_items < stop)
    rows, places = torch.nonzero(rated, as_tuple=True)
    return scores.index_put(
        (rows, tasks.support_items[rows, places] - start), scores.new_tensor(-torch.inf)
    )
