"""Episodes as flat tensors on one device, from which batches are padded without a loop.

Lengths stay on the host as well: the widths of a batch are known before its device has computed
anything, so that no batch has to wait for a GPU.

Shapes: R rows (tasks), L interactions of all supports (queries), B chosen rows, W
positions.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

CPU = torch.device("cpu")
NO_DAY = torch.iinfo(torch.int32).max  # later than any


@dataclass(frozen=True)
class Padded:
    """A padded support or query: items by index, ratings, days and mask, each [B, W].

    Padding is item 0. days: those of the interactions, counted from 1970-01-01; 0 where no time is
    known
    """

    items: Tensor
    ratings: Tensor
    days: Tensor
    mask: Tensor

    def beside(self, other: Padded) -> Padded:
        """The other's columns after these, [B, W + W'], padding in between included."""
        names = [field.name for field in fields(Padded)]
        return Padded(*(torch.cat([getattr(self, n), getattr(other, n)], dim=1) for n in names))

    def at(self, order: Tensor) -> Padded:
        """The positions of each row in the order [B, W]."""
        return Padded(*(getattr(self, field.name).gather(1, order) for field in fields(Padded)))

    def masked(self, mask: Tensor, columns: np.ndarray) -> Padded:
        """The given columns alone, with `mask` [B, W] as their mask and zero where it is False."""
        chosen = to_device(columns, mask.device)
        mask = mask.index_select(1, chosen)
        items, ratings, days = (
            each.index_select(1, chosen) * mask for each in (self.items, self.ratings, self.days)
        )
        return Padded(items, ratings, days, mask)


@dataclass(frozen=True)
class Lengths:
    """The lengths [B] of supports or queries, on the host and on the batch's device."""

    host: np.ndarray
    device: Tensor

    @staticmethod
    def of(lengths: np.ndarray, device: torch.device) -> Lengths:
        """The lengths on the host, with a copy on the device that is not waited for."""
        return Lengths(lengths, to_device(lengths, device))

    def __getitem__(self, rows: slice) -> Lengths:
        return Lengths(self.host[rows], self.device[rows])

    @property
    def longest(self) -> int:
        """At least 1: a batch of empty rows has one column, of padding."""
        return max(1, int(self.host.max(initial=0)))


@dataclass(frozen=True, kw_only=True)
class RaggedInteractions:
    """The supports, or the queries, of all rows, one after the other.

    items, ratings, days: [1 + L], a zero first, which padding reads
    starts: [R], where each row begins; lengths: [R], on the host
    """

    items: Tensor
    ratings: Tensor
    days: Tensor
    starts: Tensor
    lengths: np.ndarray

    @staticmethod
    def of(rows: pa.Table, name: str, device: torch.device) -> RaggedInteractions:
        """The columns `<name>_items`, `<name>_ratings` and `<name>_days` of the episodes.

        Splits without times have no days: all 0.
        """
        lengths, items = _flat(rows[f"{name}_items"], np.int64)
        _, ratings = _flat(rows[f"{name}_ratings"], np.float32)
        days = np.zeros(len(items), np.int32)
        if f"{name}_days" in rows.column_names:
            _, days = _flat(rows[f"{name}_days"], np.int32)
        return RaggedInteractions(
            items=to_device(items, device),
            ratings=to_device(ratings, device),
            days=to_device(days, device),
            starts=to_device(1 + np.cumsum(lengths) - lengths, device),
            lengths=lengths,
        )

    def padded(self, rows: Tensor, lengths: Lengths) -> Padded:
        """The rows [B], of these lengths, padded to the longest of them."""
        position = torch.arange(lengths.longest, device=rows.device)
        mask = position < lengths.device.unsqueeze(1)
        at = (self.starts[rows].unsqueeze(1) + position) * mask
        return Padded(self.items[at], self.ratings[at], self.days[at], mask)


@dataclass(frozen=True, kw_only=True)
class Ragged:
    """Rows of episodes: users and whether the item statistics hold their ratings, [R] each.

    day: [R], of the first interaction in the query; without one later than any, and 0 without times
    earlier_that_day: [R], how many interactions came before the first one here, on its day
    n_items: one more than the largest item index
    """

    users: Tensor
    in_statistics: Tensor
    day: Tensor
    earlier_that_day: Tensor
    support: RaggedInteractions
    query: RaggedInteractions
    n_items: int

    @staticmethod
    def of(rows: pa.Table, device: torch.device = CPU) -> Ragged:
        """The rows of the episodes' table, flat, on the device."""
        support, query = (
            RaggedInteractions.of(rows, name, device) for name in ("support", "query")
        )
        return Ragged(
            users=to_device(rows["user_index"].to_numpy().astype(np.int64), device),
            in_statistics=to_device(rows["split"].to_numpy() == "train", device),
            day=to_device(_first_days(rows), device),
            earlier_that_day=to_device(_earlier_that_day(rows), device),
            support=support,
            query=query,
            n_items=1 + max(int(each.items.max()) for each in (support, query)),
        )

    @property
    def device(self) -> torch.device:
        """The device of all tensors; lengths are on the host as well."""
        return self.users.device

    def __len__(self) -> int:
        return len(self.users)


def to_device(values: np.ndarray, device: torch.device) -> Tensor:
    """The values on the device; the copy to a GPU runs beside what it computes."""
    tensor = torch.from_numpy(np.ascontiguousarray(values))
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor


def _flat(lists: pa.ChunkedArray[Any], kind: type) -> tuple[np.ndarray, np.ndarray]:
    """The length of each list, and all their values behind a zero."""
    combined = lists.combine_chunks()
    assert isinstance(combined, pa.ListArray)
    values = combined.flatten().to_numpy(zero_copy_only=False)
    flat: np.ndarray = np.zeros(1 + len(values), dtype=kind)
    flat[1:] = values
    return np.diff(combined.offsets.to_numpy()).astype(np.int64), flat


def _first_days(rows: pa.Table) -> np.ndarray:
    """The day of each row's query [R]; `NO_DAY` without a query, 0 where no time is known."""
    if "query_days" not in rows.column_names:
        return np.zeros(len(rows), np.int32)
    lengths, days = _flat(rows["query_days"], np.int32)
    starts = 1 + np.cumsum(lengths) - lengths
    first = days[np.minimum(starts, len(days) - 1)]
    return np.where(lengths > 0, first, NO_DAY).astype(np.int32)


def _earlier_that_day(rows: pa.Table) -> np.ndarray:
    """The column of the episodes [R]; 0 where no time is known."""
    if "earlier_that_day" not in rows.column_names:
        return np.zeros(len(rows), np.int32)
    return rows["earlier_that_day"].to_numpy().astype(np.int32)
