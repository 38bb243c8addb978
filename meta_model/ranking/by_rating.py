"""The catalogue in the order of expected ratings: what a user would like best of all there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from meta_model.data.item_statistics import ItemPositions
from meta_model.data.tasks import Tasks
from meta_model.learners import Learner
from schemas.dataset.spec import Feedback

# Tasks and items scored at once: few enough that their tensors stay in a CPU's caches, many enough
# that a GPU has more to do than to start kernels.
BLOCK = {"cpu": (64, 256), "cuda": (256, 4096)}


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A part of the catalogue: items `start` up to `stop`, embedded, and their statistics."""

    items: Tensor
    embedded: Any
    places: ItemPositions


def catalogue_chunks(learner: Learner, n_items: int, device: torch.device) -> list[Chunk]:
    """All items in parts of the device's `BLOCK`, embedded once for any number of tasks."""
    _, chunk_items = BLOCK[device.type]
    parts = torch.split(torch.arange(1, n_items + 1, device=device), chunk_items)
    return [
        Chunk(items=items, embedded=learner.embed(items), places=learner.statistics.of_all(items))
        for items in parts
    ]


def rank(
    learner: Learner,
    tasks: Tasks,
    is_adapted: bool,
    chunks: list[Chunk],
    k: int,
    feedback: Feedback = "explicit",
) -> tuple[Tensor, Tensor]:
    """The best items and their expected ratings [B, k], over the catalogue in chunks."""
    is_met = tasks.chosen(feedback).support.mask
    if is_adapted:
        state = learner.for_catalogue(learner.adapt(tasks, learner.embed(tasks.items)))
    else:
        state = learner.unadapted(tasks)
    best_items = tasks.users.new_zeros(len(tasks), 0)
    best_scores = torch.zeros(len(tasks), 0, device=tasks.users.device)
    for chunk in chunks:
        forecasts = learner.predict(state, chunk.embedded, chunk.places)
        scores = _without_rated(learner.expected(state, forecasts), tasks, is_met, chunk.items)
        items = torch.cat([best_items, chunk.items.expand(len(tasks), -1)], dim=1)
        scores = torch.cat([best_scores, scores], dim=1)
        columns = best(scores, k)
        best_items, best_scores = items.gather(1, columns), scores.gather(1, columns)
    return best_items.masked_fill(best_scores == -torch.inf, 0), best_scores


def best(scores: Tensor, k: int) -> Tensor:
    """The columns [B, k] of the highest scores, in order; of equal ones the first columns.

    `topk` alone would choose among equal scores as it likes, and on every machine otherwise.
    """
    k = min(k, scores.shape[1])
    least = scores.topk(k, dim=1).values[:, -1:]
    above, equal = scores > least, scores == least
    chosen = above | (equal & (equal.cumsum(1) <= k - above.sum(1, keepdim=True)))
    # Their columns in order, each at its place; the others go to a place that is dropped.
    place = torch.where(chosen, chosen.cumsum(1) - 1, k)
    columns = torch.arange(scores.shape[1], device=scores.device).expand_as(place)
    columns = place.new_zeros(len(scores), k + 1).scatter_(1, place, columns)[:, :k]
    order = scores.gather(1, columns).argsort(dim=1, descending=True, stable=True)
    return columns.gather(1, order)


def _without_rated(scores: Tensor, tasks: Tasks, is_met: Tensor, items: Tensor) -> Tensor:
    """-inf where one of the chunk's consecutive `items` is one that the user has met [B, S]."""
    n_items = len(items)
    place = tasks.items[tasks.support.rows] - items[0]
    # All else goes to a place behind the items.
    place = place.masked_fill(~is_met | (place < 0) | (place >= n_items), n_items)
    is_rated = torch.zeros(len(scores), n_items + 1, dtype=torch.bool, device=scores.device)
    is_rated.scatter_(1, place, value=True)
    return scores.masked_fill(is_rated[:, :n_items], -torch.inf)
