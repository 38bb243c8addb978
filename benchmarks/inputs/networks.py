"""The meta-paths of a public split: each item's neighbours over train ratings and attributes.

Users lead on by their train ratings alone, and only items with train ratings are neighbours, so
nothing of a test task is in a list. DBook's friendships (`user_user`) are left out: they lead from
users, and these lists are of items.

No pairs of items are formed. As in the nightly job, an item follows at most `cap` of its links and
asks their nodes for runs of their items, in a drawn order: 8 x `cap` items in all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from meta_model.data.metapaths import Metapaths
from schemas.dataset.network import USERS

CAP = 64
_ASKED = 8
Edges = tuple[np.ndarray, np.ndarray]  # item_index and node, one a link


def metapaths(items: pa.Table, train: pa.Table, over: Mapping[str, str], seed: int) -> Metapaths:
    """`over` names for each meta-path `users`, or the column of `items` that holds the nodes.

    items: item_index, 1..N in order, and the attributes; train: user_index, item_index
    """
    draws = np.random.default_rng(seed)
    rated = np.bincount(train["item_index"].to_numpy(), minlength=len(items) + 1) > 0
    neighbours = np.zeros((len(over), len(items) + 1, CAP), dtype=np.int64)
    for path, column in enumerate(over.values()):
        if column == USERS:
            edges = train["item_index"].to_numpy(), train["user_index"].to_numpy()
        else:
            edges = _attribute_edges(items, column)
        neighbours[path] = _neighbours(edges, rated, draws)
    return Metapaths(
        names=tuple(over),
        over_users=tuple(column == USERS for column in over.values()),
        neighbours=torch.from_numpy(neighbours),
    )


def _attribute_edges(items: pa.Table, column: str) -> Edges:
    # Typed loosely: the stubs know neither list arrays nor what dictionaries hold.
    values: Any = items[column].combine_chunks()
    index = items["item_index"].to_numpy()
    if pa.types.is_list(values.type):
        index = np.repeat(index, np.diff(values.offsets.to_numpy()))
        values = values.flatten()
    nodes = values.dictionary_encode().indices.fill_null(-1).to_numpy()
    return index[nodes >= 0], nodes[nodes >= 0]


def _neighbours(edges: Edges, rated: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """[N + 1, CAP] neighbours, ascending, then 0; `rated` [N + 1] says which items may be one."""
    found = _found(edges, rated, draws)
    found = found[draws.permutation(len(found))]
    item, neighbour = np.divmod(found[np.argsort(found // len(rated), kind="stable")], len(rated))
    kept = _place(item) < CAP
    item, neighbour = item[kept], neighbour[kept]
    order = np.lexsort((neighbour, item))
    item, neighbour = item[order], neighbour[order]
    lists = np.zeros((len(rated), CAP), dtype=np.int64)
    lists[item, _place(item)] = neighbour
    return lists


def _found(edges: Edges, rated: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Each pair of an item and a neighbour once, as item x (N + 1) + neighbour."""
    mixed = draws.permutation(len(edges[0]))
    item, node = edges[0][mixed], edges[1][mixed]
    given, giver = item[rated[item]], node[rated[item]]
    by_node = np.argsort(giver, kind="stable")
    given = given[by_node]  # each node's items together, in a drawn order
    sizes = np.bincount(giver, minlength=node.max(initial=0) + 1)
    starts = np.cumsum(sizes) - sizes

    others = sizes[node] > rated[item]  # an item without train ratings is not among them
    item, node = item[others], node[others]
    by_item = np.argsort(item, kind="stable")
    item, node = item[by_item], node[by_item]
    followed = _place(item) < CAP
    item, node = item[followed], node[followed]
    links = np.bincount(item, minlength=len(rated))
    asked = np.minimum(_ASKED * CAP // np.maximum(links, 1)[item], sizes[node])
    run = np.arange(asked.sum()) - np.repeat(np.cumsum(asked) - asked, asked)
    first = draws.integers(0, np.maximum(sizes[node], 1))
    place = (np.repeat(first, asked) + run) % np.repeat(sizes[node], asked)
    neighbour = given[np.repeat(starts[node], asked) + place]
    asker = np.repeat(item, asked)
    return np.unique((asker * len(rated) + neighbour)[neighbour != asker])


def _place(sorted_keys: np.ndarray) -> np.ndarray:
    """0, 1, ... within each run of equal keys."""
    _, starts, counts = np.unique(sorted_keys, return_index=True, return_counts=True)
    return np.arange(len(sorted_keys)) - np.repeat(starts, counts)
