"""From streamed rows to padded batches: like lengths together and, in training, cut anew.

Randomness comes from the generator passed in, so that a batch depends on its place in the run and
not on what was drawn before it. Shapes: B tasks, W places of a side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from meta_model.data.episodes import Episodes
from meta_model.data.features import pad
from meta_model.data.tasks import Side, Tasks


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


@dataclass(frozen=True, kw_only=True)
class Recut:
    """Cuts tasks anew: a random query of each, and a random part of the rest as its support.

    The learner then meets every interaction on both sides, and supports of all lengths.
    """

    query_size: int
    min_support: int
    short_share: float  # of tasks whose support is shortened to a random length
    empty_share: float  # of tasks that lose all their support

    def sizes(self, totals: np.ndarray, draws: np.random.Generator) -> tuple[np.ndarray, ...]:
        """How many of each task's `totals` interactions are support, and how many query."""
        queries = np.clip(totals - self.min_support, 1, self.query_size)
        longest = totals - queries
        short = draws.integers(np.minimum(self.min_support, longest), longest + 1)
        kind = draws.random(len(totals))
        supports = np.where(kind < self.short_share, short, longest)
        return np.where(kind >= 1 - self.empty_share, 0, supports), queries

    def cut(
        self,
        whole: Padded,
        supports: np.ndarray,
        queries: np.ndarray,
        draws: np.random.Generator,
    ) -> tuple[Padded, Padded]:
        """Support and query of the given sizes, drawn at random from whole tasks."""
        order = np.argsort(np.where(whole.mask, draws.random(whole.mask.shape), 2.0), axis=1)
        mixed = Padded(*(np.take_along_axis(x, order, axis=1) for x in astuple(whole)))
        place, first = np.arange(whole.mask.shape[1]), queries[:, None]
        is_query = place < first
        is_support = ~is_query & (place < first + supports[:, None])
        return mixed.masked(is_support), mixed.masked(is_query)


def batches(
    episodes: Episodes,
    batch_tasks: int,
    shuffle: np.random.Generator | None = None,
    recut: Recut | None = None,
) -> Iterator[Tasks]:
    """All rows in batches of tasks of like length, so that padding wastes little.

    With `shuffle`, rows of a length change places and batches come in random order.
    """
    for rows in episodes.buffers(shuffle):
        yield from batches_of(rows, batch_tasks, shuffle, recut)


def batches_of(
    rows: pa.Table,
    batch_tasks: int,
    shuffle: np.random.Generator | None = None,
    recut: Recut | None = None,
) -> Iterator[Tasks]:
    """The batches of one buffer of rows."""
    supports, queries = (
        pc.list_value_length(rows[f"{side}_items"]).to_numpy() for side in ("support", "query")
    )
    if recut is not None:
        if shuffle is None:
            raise ValueError("cutting tasks anew needs a generator to draw with")
        supports, queries = recut.sizes(supports + queries, shuffle)
    starts = np.arange(0, len(rows), batch_tasks)
    if shuffle is None:
        order = np.argsort(supports, kind="stable")
    else:
        mixed = shuffle.permutation(len(rows))
        order = mixed[np.argsort(supports[mixed], kind="stable")]
        starts = shuffle.permutation(starts)
    for start in starts.tolist():
        chosen = order[start : start + batch_tasks]
        some = rows.take(chosen)
        support, query = Padded.of(some, "support"), Padded.of(some, "query")
        if recut is not None and shuffle is not None:
            whole = support.beside(query)
            support, query = recut.cut(whole, supports[chosen], queries[chosen], shuffle)
        yield _tasks(some, support, query)


def from_episodes(rows: pa.Table) -> Tasks:
    """The rows as one batch, in their order."""
    return _tasks(rows, Padded.of(rows, "support"), Padded.of(rows, "query"))


def _tasks(rows: pa.Table, support: Padded, query: Padded) -> Tasks:
    # Item 0 is added, so that it is always the first and padding always names place 0.
    flat = np.concatenate([[0], support.items.ravel(), query.items.ravel()])
    items, places = np.unique(flat, return_inverse=True)
    of_support, of_query = np.split(places[1:], [support.items.size])
    return Tasks(
        users=torch.from_numpy(rows["user_index"].to_numpy().astype(np.int64)),
        items=torch.from_numpy(items),
        support=_side(support, of_support),
        query=_side(query, of_query),
        in_statistics=torch.from_numpy(rows["split"].to_numpy() == "train"),
    )


def _side(padded: Padded, places: np.ndarray) -> Side:
    return Side(
        places=torch.from_numpy(places.reshape(padded.items.shape)),
        ratings=torch.from_numpy(padded.ratings),
        mask=torch.from_numpy(padded.mask),
    )
