"""Who chose what: the interactions of training users, as pairs of indices.

Shapes: P pairs, V training users (from 0), N items (by index from 1; column 0 is padding).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks

_BATCH_TASKS = 1024
# A dense block of `together`: 16 MB however many users and items there are.
_USERS = 8192
_COLUMNS = 512


@dataclass(frozen=True, kw_only=True)
class Interactions:
    """Distinct pairs of a training user and an item, [P] each, by index; users from 0."""

    users: Tensor
    items: Tensor
    n_items: int
    user_indices: Tensor | None = None  # of each of the users, in the profiles' numbering

    @staticmethod
    def of(inputs: Inputs) -> Interactions:
        """What training sees: the interactions of its tasks, without sampled negatives."""
        n_items = len(inputs.item_profiles)
        pairs = [torch.zeros(0, dtype=torch.int64)]
        for batch in batches(inputs.episodes.split("train"), _BATCH_TASKS):
            side = batch.whole().chosen(inputs.feedback).support
            users = batch.users.unsqueeze(1).expand_as(side.mask)[side.mask]
            pairs.append(users.long() * (n_items + 1) + batch.items[side.rows][side.mask])
        distinct = torch.cat(pairs).unique()
        known, users = (distinct // (n_items + 1)).unique(return_inverse=True)
        items = distinct % (n_items + 1)
        return Interactions(users=users, items=items, n_items=n_items, user_indices=known)

    @property
    def n_users(self) -> int:
        """V: one more than the highest number of a user that has an interaction."""
        return int(self.users.max()) + 1 if len(self.users) else 0

    @property
    def counts(self) -> Tensor:
        """How many users chose each item, [N + 1]."""
        return self.items.bincount(minlength=self.n_items + 1).double()

    def met_by(self, users: Tensor) -> Tensor:
        """Whether training saw users, by index [B], choose an item: [B, N + 1]."""
        of, items = self._by_user
        users = users.to(of)
        firsts, ends = torch.searchsorted(of, users), torch.searchsorted(of, users, right=True)
        sizes = ends - firsts
        rows = torch.arange(len(users)).repeat_interleave(sizes)
        # The pairs of all these users, one after the other, and where those of each begin.
        places = torch.arange(len(rows)) + (firsts - sizes.cumsum(0) + sizes)[rows]
        met = torch.zeros(len(users), self.n_items + 1, dtype=torch.bool)
        met[rows, items[places]] = True
        return met

    @cached_property
    def _by_user(self) -> tuple[Tensor, Tensor]:
        """The users' indices in order, and the items, [P] each."""
        of = self.users if self.user_indices is None else self.user_indices[self.users]
        of, order = of.sort(stable=True)
        return of, self.items[order]

    def matrix(self, values: Tensor | None = None) -> Tensor:
        """`values` [P], or 1, where a user chose an item; sparse [V, N + 1]."""
        pairs = torch.stack([self.users, self.items])
        size = (self.n_users, self.n_items + 1)
        values = torch.ones(len(self.users)) if values is None else values
        return torch.sparse_coo_tensor(pairs, values, size, check_invariants=True)

    def together(self, items: Tensor | None = None) -> Tensor:
        """How many users chose both of two items, [M, M] of the items [M], or [N + 1, N + 1].

        Whole numbers, so that the sum over blocks of users is exact.
        """
        items = torch.arange(self.n_items + 1) if items is None else items
        counts = torch.zeros(len(items), len(items))
        for users, columns in self._blocks_of_users(items):
            _count(counts, users, columns)
        for end in range(_COLUMNS, len(items), _COLUMNS):
            counts[end - _COLUMNS : end, end:] = counts[end:, end - _COLUMNS : end].t()
        return counts

    def _blocks_of_users(self, items: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """The pairs of the items, a block of users after the other: users from 0, and columns."""
        column = torch.full((self.n_items + 1,), -1)
        column[items] = torch.arange(len(items))
        users, order = self.users.sort(stable=True)
        columns = column[self.items[order]]
        users, columns = users[columns >= 0], columns[columns >= 0]
        firsts = torch.arange(0, self.n_users, _USERS)
        ends = torch.searchsorted(users, firsts + _USERS)
        sizes = ends.diff(prepend=ends.new_zeros(1)).tolist()
        for first, some, of in zip(firsts, users.split(sizes), columns.split(sizes), strict=True):
            yield some - first, of


def _count(counts: Tensor, users: Tensor, columns: Tensor) -> None:
    """Add what a block of users chose to counts [M, M], on and below the diagonal."""
    for first in range(0, len(counts), _COLUMNS):
        here, size = columns < first + _COLUMNS, len(counts) - first
        block = torch.zeros(_USERS, min(_COLUMNS, size))
        block[users[here], columns[here] - first] = 1
        pairs = torch.stack([columns - first, users])
        chosen = torch.sparse_coo_tensor(
            pairs, torch.ones(len(users)), (size, _USERS), check_invariants=True
        )
        counts[first:, first : first + _COLUMNS] += chosen @ block
        users, columns = users[~here], columns[~here]


def known_items(tasks: Tasks, n_items: int) -> Tensor:
    """What each user is known to have chosen, [B, N + 1] of 0 and 1."""
    chosen = torch.zeros(len(tasks), n_items + 1, device=tasks.users.device)
    chosen.scatter_(1, tasks.items[tasks.support.rows] * tasks.support.mask, 1.0)
    chosen[:, 0] = 0  # padding
    return chosen
