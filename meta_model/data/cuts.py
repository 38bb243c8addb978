"""How training cuts tasks anew, each time it meets them (decision 11).

The learner then meets every interaction on both sides. Lengths are drawn on the host, what is on
the sides on the batch's device. Shapes: B tasks, W places.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from meta_model.data.ragged import Lengths, Padded


class Cut(ABC):
    """Says how long the sides of tasks are, and what is on them."""

    @abstractmethod
    def sizes(
        self, supports: np.ndarray, queries: np.ndarray, draws: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The lengths [R] of the new sides, from those of the old."""

    @abstractmethod
    def sides(
        self, whole: Padded, supports: Lengths, queries: Lengths, draws: Tensor
    ) -> tuple[Padded, Padded]:
        """Support and query of these lengths, from whole tasks and draws from 0..1 [B, W]."""


@dataclass(frozen=True, kw_only=True)
class Recut(Cut):
    """Cuts tasks anew: a random query of each, and a random part of the rest as its support.

    The learner then meets every interaction on both sides, and supports of all lengths. Shortened
    ones are spread evenly over the logarithm of their length: over the length itself, hardly any
    would be as short as a new user's, and the learner would be at its worst there (decision 19).
    """

    query_size: int
    min_support: int
    short_share: float  # of tasks whose support is shortened to a random length
    empty_share: float  # of tasks that lose all their support

    def sizes(
        self, supports: np.ndarray, queries: np.ndarray, draws: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        totals = supports + queries
        queries = np.clip(totals - self.min_support, 1, self.query_size)
        longest = totals - queries
        spread = draws.random(len(totals))
        short = np.floor(self.min_support * ((longest + 1) / self.min_support) ** spread)
        short = np.minimum(short, longest).astype(longest.dtype)
        kind = draws.random(len(totals))
        supports = np.where(kind < self.short_share, short, longest)
        return np.where(kind >= 1 - self.empty_share, 0, supports), queries

    def sides(
        self, whole: Padded, supports: Lengths, queries: Lengths, draws: Tensor
    ) -> tuple[Padded, Padded]:
        mixed = whole.at(draws.masked_fill(~whole.mask, 2.0).argsort(dim=1))
        width = whole.mask.shape[1]
        place = torch.arange(width, device=draws.device)
        first = queries.device.unsqueeze(1)
        is_query = place < first
        is_support = ~is_query & (place < first + supports.device.unsqueeze(1))
        of_support = _covered(queries.host, supports.host, width)
        return mixed.masked(is_support, of_support), mixed.masked(
            is_query, np.arange(queries.longest)
        )


@dataclass(frozen=True, kw_only=True)
class Exchange(Cut):
    """Cuts tasks of implicit feedback anew: what was chosen and what was not change sides apart.

    Each side keeps its length and its share of sampled negatives, which is what serving has: to
    pool both and cut would give it others (decision 13).
    """

    def sizes(
        self, supports: np.ndarray, queries: np.ndarray, _draws: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        return supports, queries

    def sides(
        self, whole: Padded, supports: Lengths, queries: Lengths, draws: Tensor
    ) -> tuple[Padded, Padded]:
        # The places of each rating in order, and in random order: padding comes last in both.
        kind = whole.ratings.masked_fill(~whole.mask, torch.inf)
        places = kind.argsort(dim=1, stable=True)
        mixed = draws.argsort(dim=1)
        drawn = mixed.gather(1, kind.gather(1, mixed).argsort(dim=1, stable=True))
        items = torch.zeros_like(whole.items).scatter_(1, places, whole.items.gather(1, drawn))
        exchanged = Padded(items, whole.ratings, whole.mask)
        # Whole tasks have the support's places first, padded to the longest of the batch.
        longest = supports.longest
        is_first = torch.arange(whole.mask.shape[1], device=draws.device) < longest
        of_query = longest + np.arange(queries.longest)
        return (
            exchanged.masked(is_first & whole.mask, np.arange(longest)),
            exchanged.masked(~is_first & whole.mask, of_query),
        )


def _covered(starts: np.ndarray, lengths: np.ndarray, width: int) -> np.ndarray:
    """The columns of `width` in which some row has a place; column 0 if there are none."""
    ends = starts + lengths
    begun = np.bincount(starts, minlength=width + 1) - np.bincount(ends, minlength=width + 1)
    covered = np.flatnonzero(begun.cumsum()[:width] > 0)
    return covered if len(covered) else np.zeros(1, dtype=np.int64)
