"""Support/query resampling: each epoch splits the training tasks again (decision 11).

The learner then meets every interaction in a support and in a query. Lengths are drawn on the
host, interactions on the batch's device. Shapes: R rows (tasks), B tasks of a batch, W positions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from meta_model.data.ragged import Lengths, Padded


class Resampling(ABC):
    """Draws the lengths of the support and query sets of tasks, and the interactions in each."""

    @abstractmethod
    def lengths(
        self, supports: np.ndarray, queries: np.ndarray, draws: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The lengths [R] of the new supports and queries, from the old lengths [R]."""

    @abstractmethod
    def split(
        self, whole: Padded, supports: Lengths, queries: Lengths, draws: Tensor
    ) -> tuple[Padded, Padded]:
        """Supports and queries of these lengths.

        whole: the interactions of tasks, [B, W], the old supports first
        draws: uniform on 0..1, [B, W]
        """


@dataclass(frozen=True, kw_only=True)
class Resplit(Resampling):
    """Draws a random query, and a random support from the remaining interactions.

    Some supports are shortened, to lengths that are uniform on a logarithmic scale: on a linear
    one, hardly any would be as short as a new user's, where the learner would be at its worst
    (decision 19).
    """

    query_size: int
    min_support: int
    short_share: float  # of tasks whose support is shortened to a random length
    empty_share: float  # of tasks that lose all their support

    def lengths(
        self, supports: np.ndarray, queries: np.ndarray, draws: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Queries of `query_size` at most; supports of all others, shortened, or none."""
        totals = supports + queries
        queries = np.clip(totals - self.min_support, 1, self.query_size)
        longest = totals - queries
        spread = draws.random(len(totals))
        short = np.floor(self.min_support * ((longest + 1) / self.min_support) ** spread)
        short = np.minimum(short, longest).astype(longest.dtype)
        kind = draws.random(len(totals))
        supports = np.where(kind < self.short_share, short, longest)
        return np.where(kind >= 1 - self.empty_share, 0, supports), queries

    def split(
        self, whole: Padded, supports: Lengths, queries: Lengths, draws: Tensor
    ) -> tuple[Padded, Padded]:
        """A random order of each task's interactions: the query first, then the support."""
        mixed = whole.at(draws.masked_fill(~whole.mask, 2.0).argsort(dim=1))
        width = whole.mask.shape[1]
        position = torch.arange(width, device=draws.device)
        first = queries.device.unsqueeze(1)
        is_query = position < first
        is_support = ~is_query & (position < first + supports.device.unsqueeze(1))
        of_support = _covered(queries.host, supports.host, width)
        return mixed.masked(is_support, of_support), mixed.masked(
            is_query, np.arange(queries.longest)
        )


@dataclass(frozen=True, kw_only=True)
class Swap(Resampling):
    """Swaps interactions between support and query within each rating, for implicit feedback.

    Support and query keep their lengths and their shares of sampled negatives, which are those of
    serving; a split of the pooled interactions would change the shares (decision 13).
    """

    def lengths(
        self, supports: np.ndarray, queries: np.ndarray, _draws: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The old lengths, because interactions only change places."""
        return supports, queries

    def split(
        self, whole: Padded, supports: Lengths, queries: Lengths, draws: Tensor
    ) -> tuple[Padded, Padded]:
        """Items of equal rating change places between support and query at random."""
        # The positions of each rating in order, and in random order: padding comes last in both.
        kind = whole.ratings.masked_fill(~whole.mask, torch.inf)
        positions = kind.argsort(dim=1, stable=True)
        mixed = draws.argsort(dim=1)
        drawn = mixed.gather(1, kind.gather(1, mixed).argsort(dim=1, stable=True))
        items, days = (
            torch.zeros_like(each).scatter_(1, positions, each.gather(1, drawn))
            for each in (whole.items, whole.days)
        )
        swapped = Padded(items, whole.ratings, days, whole.mask)
        # Whole tasks have the support's positions first, padded to the longest of the batch.
        longest = supports.longest
        is_first = torch.arange(whole.mask.shape[1], device=draws.device) < longest
        of_query = longest + np.arange(queries.longest)
        return (
            swapped.masked(is_first & whole.mask, np.arange(longest)),
            swapped.masked(~is_first & whole.mask, of_query),
        )


def _covered(starts: np.ndarray, lengths: np.ndarray, width: int) -> np.ndarray:
    """The columns, of `width`, that some row covers; column 0 if there are none."""
    ends = starts + lengths
    begun = np.bincount(starts, minlength=width + 1) - np.bincount(ends, minlength=width + 1)
    covered = np.flatnonzero(begun.cumsum()[:width] > 0)
    return covered if len(covered) else np.zeros(1, dtype=np.int64)
