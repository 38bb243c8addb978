"""From streamed rows to padded batches: like lengths together and, in training, cut anew.

Randomness comes from the generator passed in, so that a batch depends on its place in the run and
not on what was drawn before it. A batch is assembled on the device that computes it, and nothing
here waits for that device. Shapes: B tasks, W places of a side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from meta_model import device
from meta_model.data.cuts import Cut
from meta_model.data.episodes import Episodes
from meta_model.data.ragged import CPU, Lengths, Padded, Ragged, to_device
from meta_model.data.tasks import InteractionSet, Tasks


def batches(
    episodes: Episodes,
    batch_tasks: int,
    shuffle: np.random.Generator | None = None,
    cut: Cut | None = None,
    on: torch.device = CPU,
) -> Iterator[Tasks]:
    """All rows in batches of tasks of like length, so that padding wastes little.

    With `shuffle`, rows of a length change places and batches come in random order.
    """
    for rows in episodes.buffers(shuffle):
        yield from batches_of(Ragged.of(rows, on), batch_tasks, shuffle, cut)


def batches_of(
    rows: Ragged,
    batch_tasks: int,
    shuffle: np.random.Generator | None = None,
    cut: Cut | None = None,
) -> Iterator[Tasks]:
    """The batches of one buffer of rows."""
    sides = (rows.support, rows.query)
    supports, queries = (side.lengths for side in sides)
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
    whole = [Lengths.of(side.lengths[order], rows.device) for side in sides]
    new = [Lengths.of(lengths[order], rows.device) for lengths in (supports, queries)]
    ordered, uniform = to_device(order, rows.device), _uniform(shuffle, rows.device)
    for start in starts.tolist():
        batch = slice(start, start + batch_tasks)
        chosen = ordered[batch]
        support, query = (
            side.padded(chosen, lengths[batch]) for side, lengths in zip(sides, whole, strict=True)
        )
        if cut is not None:
            both = support.beside(query)
            lengths = (new[0][batch], new[1][batch])
            support, query = cut.sides(both, *lengths, uniform(both.mask.shape))
        yield _tasks(rows, chosen, support, query)


def from_episodes(rows: pa.Table) -> Tasks:
    """The rows as one batch, in their order."""
    ragged = Ragged.of(rows)
    chosen = torch.arange(len(ragged))
    support, query = (
        side.padded(chosen, Lengths.of(side.lengths, CPU))
        for side in (ragged.support, ragged.query)
    )
    return _tasks(ragged, chosen, support, query)


def _uniform(draws: np.random.Generator | None, on: torch.device) -> Callable[[torch.Size], Tensor]:
    """Draws from 0..1 of any shape, by the generator or, on a GPU, by one that it seeds."""
    if draws is None:
        return lambda shape: torch.zeros(shape, device=on)
    if on.type == "cpu":
        return lambda shape: torch.from_numpy(draws.random(shape))
    own = torch.Generator(on).manual_seed(int(draws.integers(2**62)))
    return lambda shape: torch.rand(shape, generator=own, device=on)


def _tasks(rows: Ragged, chosen: Tensor, support: Padded, query: Padded) -> Tasks:
    # Item 0 is added, so that it is always the first and padding always names place 0.
    flat = torch.cat([rows.users.new_zeros(1), support.items.flatten(), query.items.flatten()])
    if device.works_ahead(rows.device):
        items, places = distinct(flat, rows.n_items)
    else:
        items, places = flat.unique(return_inverse=True)
    of_support, of_query = places[1:].split([support.items.numel(), query.items.numel()])
    return Tasks(
        users=rows.users[chosen],
        items=items,
        support=_interaction_set(support, of_support),
        query=_interaction_set(query, of_query),
        in_statistics=rows.in_statistics[chosen],
    )


def distinct(flat: Tensor, n_items: int) -> tuple[Tensor, Tensor]:
    """Items that hold all of `flat`, of which the first is 0, and the place of each in them.

    Unlike `unique` it does not ask how many there are, for which a GPU would have to be waited
    for. Small catalogues come whole; of large ones come the items of `flat`, then zeros.
    """
    if n_items <= len(flat):
        return torch.arange(n_items, device=flat.device), flat
    ordered, order = flat.sort()
    is_new = torch.ones_like(ordered)
    is_new[1:] = ordered.diff() > 0
    places_in_order = is_new.cumsum(0) - 1
    places = torch.empty_like(flat).scatter_(0, order, places_in_order)
    # Equal items go to one place, so that it does not matter which of them comes last.
    return torch.zeros_like(flat).scatter_(0, places_in_order, ordered), places


def _interaction_set(padded: Padded, places: Tensor) -> InteractionSet:
    return InteractionSet(
        rows=places.view_as(padded.items), ratings=padded.ratings, mask=padded.mask
    )
