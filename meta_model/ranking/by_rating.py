"""The catalogue in the order of expected ratings: what a user would like best of all there is.

Shapes: B tasks, N items, K of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
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


def ratings(learner: Learner, tasks: Tasks, is_adapted: bool, chunks: Iterable[Chunk]) -> Tensor:
    """The expected ratings [B, N + 1] of the whole catalogue; -inf for padding, item 0.

    is_adapted: whether the learner adapts to the supports; else their users' attributes are all
    """
    state = learner.for_catalogue(_state(learner, tasks, is_adapted))
    parts = [torch.full((len(tasks), 1), -torch.inf, device=tasks.users.device)]
    for chunk in chunks:
        forecasts = learner.predict(state, chunk.embedded, chunk.places)
        parts.append(learner.expected(state, forecasts))
    return torch.cat(parts, dim=1)


class CatalogueRatings:
    """A learner's expected ratings; the catalogue's part, the same for all users, is made once."""

    def __init__(self, learner: Learner, n_items: int, device: torch.device) -> None:
        self.learner, self.n_items, self.device = learner, n_items, device

    def of_all(self, tasks: Tasks, is_adapted: bool) -> Tensor:
        """Those of the whole catalogue [B, N + 1]; -inf for padding, item 0."""
        return ratings(self.learner, tasks, is_adapted, self._chunks)

    def of_some(self, tasks: Tasks, is_adapted: bool, items: Tensor) -> Tensor:
        """Those of the items [B, K]; of padding any number."""
        whole, state = self._whole, _state(self.learner, tasks, is_adapted)
        counts, deviation = whole.places.counts[0], whole.places.deviation[0]
        rows = (items - 1).clamp(min=0)
        places = ItemPositions(rows=rows, counts=counts[rows], deviation=deviation[rows])
        forecasts = self.learner.predict(state, whole.embedded, places)
        return self.learner.expected(state, forecasts)

    @cached_property
    def _chunks(self) -> list[Chunk]:
        return catalogue_chunks(self.learner, self.n_items, self.device)

    @cached_property
    def _whole(self) -> Chunk:
        items = torch.arange(1, self.n_items + 1, device=self.device)
        embedded, places = self.learner.embed(items), self.learner.statistics.of_all(items)
        return Chunk(items=items, embedded=embedded, places=places)


def _state(learner: Learner, tasks: Tasks, is_adapted: bool) -> Any:
    """Of the tasks, after the local update or before it; its type is the learner's."""
    if is_adapted:
        return learner.adapt(tasks, learner.embed(tasks.items))
    return learner.unadapted(tasks)


def without_met(scores: Tensor, tasks: Tasks, feedback: Feedback) -> Tensor:
    """The scores [B, N + 1], or of several questions [Q, B, N + 1]; -inf for what was met."""
    met = tasks.chosen(feedback).support
    is_met = torch.zeros(scores.shape[-2:], dtype=torch.bool, device=scores.device)
    is_met.scatter_(1, tasks.items[met.rows] * met.mask, value=True)
    return scores.masked_fill(is_met, -torch.inf)


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
