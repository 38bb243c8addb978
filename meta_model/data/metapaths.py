"""The neighbours of items over meta-paths as one index tensor, for semantic contexts (MetaHIN)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from meta_model.data.features import pad
from schemas.dataset.network import USERS
from schemas.errors import UserError
from schemas.pipeline import BUILD_METAPATHS


@dataclass(frozen=True, kw_only=True)
class Metapaths:
    """The neighbours of N items on P meta-paths.

    names:      of the P meta-paths, in the dataset spec's order; none without a network
    over_users: whether each leads over users (a new item has none) and not over attributes
    neighbours: [P, N + 1, K] item_index of existing items, ascending, never the item itself; K the
                longest list. 0 is padding, and row 0 stands for an unknown item: all padding

    All tasks share the lists. The contexts of a training task must leave out its items: the links
    include its query interactions.
    """

    names: tuple[str, ...]
    over_users: tuple[bool, ...]
    neighbours: Tensor


_NOTHING = torch.zeros((0, 1, 1), dtype=torch.int64)
NO_METAPATHS = Metapaths(names=(), over_users=(), neighbours=_NOTHING)


def metapaths(rows: pa.Table, over: Mapping[str, str], n_items: int) -> Metapaths:
    """From rows of `item_index, metapath, neighbours`; an item without a row has no neighbours.

    `over` says what each meta-path leads over, `users` or a relation.
    """
    names = tuple(over)
    paths = pc.index_in(rows["metapath"].combine_chunks(), pa.array(names, pa.string()))
    if paths.null_count:
        found = sorted(map(str, pc.unique(rows["metapath"]).to_pylist()))
        raise UserError(
            f"metapath_neighbours has the meta-paths {found}, expected those of the dataset spec, "
            f"{list(names)}; run the step {BUILD_METAPATHS.name} again."
        )
    lists, _ = pad(rows["neighbours"])
    neighbours = np.zeros((len(names), n_items + 1, lists.shape[1]), dtype=np.int64)
    neighbours[paths.to_numpy(), rows["item_index"].to_numpy()] = lists
    over_users = tuple(what == USERS for what in over.values())
    return Metapaths(names=names, over_users=over_users, neighbours=torch.from_numpy(neighbours))
