"""From streamed rows to padded batches of tasks of similar length, in training resampled.

Randomness comes from the generator passed in, so that a batch depends on its step of the run and
not on earlier draws. A batch is assembled on the device that computes it, and nothing here waits
for that device. Shapes: B tasks, W positions of a support or query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from meta_model import device
from meta_model.data.episodes import Episodes
from meta_model.data.interaction_set import InteractionSet
from meta_model.data.ragged import CPU, Lengths, Padded, Ragged, to_device
from meta_model.data.resampling import Resampling
from meta_model.data.tasks import Tasks

# How many tasks stand for a split with more: enough for a few fitted numbers, and for a difference
# of a hundredth between two methods' lists.
DRAWN_TASKS = 2048
_DRAWN_TOGETHER = 256


def batches(
    episodes: Episodes,
    batch_tasks: int,
    shuffle: np.random.Generator | None = None,
    resampling: Resampling | None = None,
    on: torch.device = CPU,
) -> Iterator[Tasks]:
    """All rows in batches of tasks of similar length, so that padding wastes little.

    With `shuffle`, rows of one length come in random order, and so do batches.
    """
    for rows in episodes.buffers(shuffle):
        for tasks in batches_of(Ragged.of(rows, on), batch_tasks, shuffle, resampling):
            yield tasks if episodes.is_ordered else replace(tasks, is_ordered=False)


def drawn(episodes: Episodes, most: int, seed: int, on: torch.device = CPU) -> list[Tasks]:
    """At most so many of the tasks, any as likely as another, in batches of similar length.

    The first batches of `batches` would not do: they have the shortest supports.
    """
    is_drawn = np.zeros(episodes.n_tasks, dtype=bool)
    is_drawn[np.random.default_rng(seed).permutation(len(is_drawn))[:most]] = True
    parts, seen = [], 0
    for rows in episodes.buffers():
        parts.append(rows.filter(pa.array(is_drawn[seen : seen + len(rows)])))
        seen += len(rows)
    if not parts:
        return []
    found = batches_of(Ragged.of(pa.concat_tables(parts), on), _DRAWN_TOGETHER)
    return [replace(tasks, is_ordered=episodes.is_ordered) for tasks in found]


def batches_of(
    rows: Ragged,
    batch_tasks: int,
    shuffle: np.random.Generator | None = None,
    resampling: Resampling | None = None,
) -> Iterator[Tasks]:
    """The batches of one buffer of rows."""
    both = (rows.support, rows.query)
    supports, queries = (interactions.lengths for interactions in both)
    if resampling is not None:
        if shuffle is None:
            raise ValueError("resampling tasks needs a generator to draw with")
        supports, queries = resampling.lengths(supports, queries, shuffle)
    starts = np.arange(0, len(rows), batch_tasks)
    if shuffle is None:
        order = np.argsort(supports, kind="stable")
    else:
        mixed = shuffle.permutation(len(rows))
        order = mixed[np.argsort(supports[mixed], kind="stable")]
        starts = shuffle.permutation(starts)
    whole = [Lengths.of(interactions.lengths[order], rows.device) for interactions in both]
    new = [Lengths.of(lengths[order], rows.device) for lengths in (supports, queries)]
    ordered, uniform = to_device(order, rows.device), _uniform(shuffle, rows.device)
    for start in starts.tolist():
        batch = slice(start, start + batch_tasks)
        chosen = ordered[batch]
        support, query = (
            interactions.padded(chosen, lengths[batch])
            for interactions, lengths in zip(both, whole, strict=True)
        )
        if resampling is not None:
            pooled = support.beside(query)
            lengths = (new[0][batch], new[1][batch])
            support, query = resampling.split(pooled, *lengths, uniform(pooled.mask.shape))
        tasks = _tasks(rows, chosen, support, query)
        yield tasks if resampling is None else replace(tasks, is_ordered=False)


def from_episodes(rows: pa.Table) -> Tasks:
    """The rows as one batch, in their order."""
    ragged = Ragged.of(rows)
    chosen = torch.arange(len(ragged))
    support, query = (
        interactions.padded(chosen, Lengths.of(interactions.lengths, CPU))
        for interactions in (ragged.support, ragged.query)
    )
    return _tasks(ragged, chosen, support, query)


def _uniform(draws: np.random.Generator | None, on: torch.device) -> Callable[[torch.Size], Tensor]:
    """Draws from 0..1 of any shape, by the generator or, on a GPU, by one that it seeds."""
    if draws is None:
        return lambda shape: torch.zeros(shape, device=on)
    if on.type == "cpu":
        return lambda shape: torch.from_numpy(draws.random(shape))
    generator = torch.Generator(on).manual_seed(int(draws.integers(2**62)))
    return lambda shape: torch.rand(shape, generator=generator, device=on)


def _tasks(ragged: Ragged, chosen: Tensor, support: Padded, query: Padded) -> Tasks:
    # Item 0 is added, so that it is always the first and padding always has row 0.
    flat = torch.cat([ragged.users.new_zeros(1), support.items.flatten(), query.items.flatten()])
    if device.works_ahead(ragged.device):
        items, rows = distinct(flat, ragged.n_items)
    else:
        items, rows = flat.unique(return_inverse=True)
    of_support, of_query = rows[1:].split([support.items.numel(), query.items.numel()])
    return Tasks(
        users=ragged.users[chosen],
        items=items,
        support=_interaction_set(support, of_support),
        query=_interaction_set(query, of_query),
        in_statistics=ragged.in_statistics[chosen],
        day=ragged.day[chosen],
        earlier_that_day=ragged.earlier_that_day[chosen],
    )


def distinct(flat: Tensor, n_items: int) -> tuple[Tensor, Tensor]:
    """Items that include all of `flat`, the first of them 0, and the row of each in these items.

    Unlike `unique` it does not need their number, for which it would have to wait for a GPU. A
    small catalogue is returned whole; of a large one the items of `flat`, then zeros.
    """
    if n_items <= len(flat):
        return torch.arange(n_items, device=flat.device), flat
    ordered, order = flat.sort()
    is_new = torch.ones_like(ordered)
    is_new[1:] = ordered.diff() > 0
    rows_in_order = is_new.cumsum(0) - 1
    rows = torch.empty_like(flat).scatter_(0, order, rows_in_order)
    # Equal items have one row, so that it does not matter which of them comes last.
    return torch.zeros_like(flat).scatter_(0, rows_in_order, ordered), rows


def _interaction_set(padded: Padded, rows: Tensor) -> InteractionSet:
    return InteractionSet(
        rows=rows.view_as(padded.items),
        ratings=padded.ratings,
        days=padded.days,
        mask=padded.mask,
    )
