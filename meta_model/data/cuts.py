"""How training cuts tasks anew, each time it meets them (decision 11).

The learner then meets every interaction on both sides. Shapes: B tasks, W places.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import astuple, dataclass

import numpy as np
import pyarrow as pa

from meta_model.data.features import pad


@dataclass(frozen=True)
class Padded:
    """One side of a batch of rows: item indices, ratings and mask, each [B, W]."""

    items: np.ndarray
    ratings: np.ndarray
    mask: np.ndarray

    @staticmethod
    def of(rows: pa.Table, side: str) -> Padded:
        items, mask = pad(rows[f"{side}_items"])
        ratings, _ = pad(rows[f"{side}_ratings"])
        return Padded(items.astype(np.int64), ratings, mask)

    def beside(self, other: Padded) -> Padded:
        return Padded(
            *(
                np.concatenate(both, axis=1)
                for both in zip(astuple(self), astuple(other), strict=True)
            )
        )

    def masked(self, mask: np.ndarray) -> Padded:
        """With `mask` for mask, zero elsewhere, and without columns that are all padding."""
        kept = mask.any(axis=0) | (np.arange(mask.shape[1]) == 0)
        mask = mask[:, kept]
        return Padded(self.items[:, kept] * mask, self.ratings[:, kept] * mask, mask)


class Cut(ABC):
    """Says how long the sides of tasks are, and what is on them."""

    @abstractmethod
    def sizes(
        self, supports: np.ndarray, queries: np.ndarray, draws: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The lengths [B] of the new sides, from those of the old."""

    @abstractmethod
    def sides(
        self,
        whole: Padded,
        supports: np.ndarray,
        queries: np.ndarray,
        draws: np.random.Generator,
    ) -> tuple[Padded, Padded]:
        """Support and query of the given lengths, drawn from whole tasks [B, W]."""


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
        self,
        whole: Padded,
        supports: np.ndarray,
        queries: np.ndarray,
        draws: np.random.Generator,
    ) -> tuple[Padded, Padded]:
        order = np.argsort(np.where(whole.mask, draws.random(whole.mask.shape), 2.0), axis=1)
        mixed = Padded(*(np.take_along_axis(x, order, axis=1) for x in astuple(whole)))
        place, first = np.arange(whole.mask.shape[1]), queries[:, None]
        is_query = place < first
        is_support = ~is_query & (place < first + supports[:, None])
        return mixed.masked(is_support), mixed.masked(is_query)


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
        self,
        whole: Padded,
        supports: np.ndarray,
        _queries: np.ndarray,
        draws: np.random.Generator,
    ) -> tuple[Padded, Padded]:
        # The places of each rating in order, and in random order: padding comes last in both.
        kind = np.where(whole.mask, whole.ratings, np.inf)
        places = np.argsort(kind, axis=1, kind="stable")
        drawn = np.lexsort((draws.random(kind.shape), kind), axis=1)
        items = np.zeros_like(whole.items)
        np.put_along_axis(items, places, np.take_along_axis(whole.items, drawn, axis=1), axis=1)
        mixed = Padded(items, whole.ratings, whole.mask)
        # Whole tasks have the support's places first, padded to the longest of the batch.
        is_first = np.arange(whole.mask.shape[1]) < max(1, int(supports.max(initial=0)))
        return mixed.masked(is_first & whole.mask), mixed.masked(~is_first & whole.mask)
