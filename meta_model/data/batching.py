"""From streamed rows to padded batches: like lengths together and, in training, cut anew.

Randomness comes from the generator passed in, so that a batch depends on its place in the run and
not on what was drawn before it. Shapes: B tasks, W places of a side.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from meta_model.data.cuts import Cut, Padded
from meta_model.data.episodes import Episodes
from meta_model.data.tasks import Side, Tasks


def batches(
    episodes: Episodes,
    batch_tasks: int,
    shuffle: np.random.Generator | None = None,
    cut: Cut | None = None,
) -> Iterator[Tasks]:
    """All rows in batches of tasks of like length, so that padding wastes little.

    With `shuffle`, rows of a length change places and batches come in random order.
    """
    for rows in episodes.buffers(shuffle):
        yield from batches_of(rows, batch_tasks, shuffle, cut)


def batches_of(
    rows: pa.Table,
    batch_tasks: int,
    shuffle: np.random.Generator | None = None,
    cut: Cut | None = None,
) -> Iterator[Tasks]:
    """The batches of one buffer of rows."""
    supports, queries = (
        pc.list_value_length(rows[f"{side}_items"]).to_numpy() for side in ("support", "query")
    )
    if cut is not None:
        if shuffle is None:
            raise ValueError("cutting tasks anew needs a generator to draw with")
        supports, queries = cut.sizes(supports, queries, shuffle)
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
        if cut is not None and shuffle is not None:
            sizes = (supports[chosen], queries[chosen])
            support, query = cut.sides(support.beside(query), *sizes, shuffle)
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
