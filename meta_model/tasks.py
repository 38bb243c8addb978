"""Episodes as padded batches of tasks.

Shapes: B tasks, S support places, Q query places. A place whose mask is False is padding: its
item is 0 and its rating 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from meta_model.features import pad


@dataclass(frozen=True, kw_only=True)
class Tasks:
    """A batch of tasks.

    users: [B]; support_*: [B, S]; query_*: [B, Q]
    in_statistics: [B], whether the item statistics hold the task's own ratings (train tasks)
    """

    users: Tensor
    support_items: Tensor
    support_ratings: Tensor
    support_mask: Tensor
    query_items: Tensor
    query_ratings: Tensor
    query_mask: Tensor
    in_statistics: Tensor

    def __len__(self) -> int:
        return len(self.users)

    def __getitem__(self, chosen: Tensor) -> Tasks:
        """The tasks at `chosen`, a boolean [B] or indices."""
        return Tasks(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    def to(self, device: torch.device) -> Tasks:
        return Tasks(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


def from_episodes(rows: pa.Table) -> Tasks:
    """The rows as one batch, padded to their longest support and query."""
    support_items, support_mask = pad(rows["support_items"])
    support_ratings, _ = pad(rows["support_ratings"])
    query_items, query_mask = pad(rows["query_items"])
    query_ratings, _ = pad(rows["query_ratings"])
    return Tasks(
        users=torch.from_numpy(rows["user_index"].to_numpy().astype(np.int64)),
        support_items=torch.from_numpy(support_items.astype(np.int64)),
        support_ratings=torch.from_numpy(support_ratings),
        support_mask=torch.from_numpy(support_mask),
        query_items=torch.from_numpy(query_items.astype(np.int64)),
        query_ratings=torch.from_numpy(query_ratings),
        query_mask=torch.from_numpy(query_mask),
        in_statistics=torch.from_numpy(rows["split"].to_numpy() == "train"),
    )


def batches(
    rows: pa.Table, batch_tasks: int, shuffle: torch.Generator | None = None
) -> Iterator[Tasks]:
    """All rows in batches of tasks with supports of like length, so that padding wastes little.

    With `shuffle`, rows of a length change places and batches come in random order.
    """
    lengths = torch.tensor(pc.list_value_length(rows["support_items"]).to_numpy())
    if shuffle is None:
        order = torch.argsort(lengths, stable=True)
        starts = torch.arange(0, len(order), batch_tasks)
    else:
        mixed = torch.randperm(len(lengths), generator=shuffle)
        order = mixed[torch.argsort(lengths[mixed], stable=True)]
        starts = torch.arange(0, len(order), batch_tasks)
        starts = starts[torch.randperm(len(starts), generator=shuffle)]
    for start in starts.tolist():
        yield from_episodes(rows.take(order[start : start + batch_tasks].numpy()))
