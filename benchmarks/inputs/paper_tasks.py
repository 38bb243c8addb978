"""Tasks of the shape of MeLU's paper: MovieLens-1M's sizes, supports of 3 to 90, queries of 10.

The values are drawn from a seed: how fast tasks are computed does not depend on them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from meta_model.data.episodes import Episodes
from meta_model.data.features import Features
from meta_model.data.inputs import Inputs
from meta_model.data.metapaths import Metapaths
from schemas.projections.arrow import ARROW_TYPES
from schemas.tables.columns import Type

N_USERS, N_ITEMS = 6040, 3706
# Of each attribute the number of values, and how many of them an entity has.
USER_ATTRIBUTES = ((2, 1), (7, 1), (21, 1), (3402, 1))  # gender, age, occupation, zip code
ITEM_ATTRIBUTES = ((6, 1), (25, 2), (2186, 1), (8030, 4))  # rate, genre, director, actor
SUPPORT, QUERY = (3, 90), 10
LEVELS = (1.0, 2.0, 3.0, 4.0, 5.0)


def write(
    file: Path, n_tasks: int, seed: int, split: str = "train", n_items: int | None = None
) -> Episodes:
    """Episodes of `n_tasks` tasks in `file`, a few thousand at a time."""
    draws = np.random.default_rng(seed)
    writer: pq.ParquetWriter | None = None
    for start in range(0, n_tasks, 4096):
        part = _tasks(start, min(4096, n_tasks - start), draws, split, n_items or N_ITEMS)
        if writer is None:
            writer = pq.ParquetWriter(file, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()
    return Episodes(files=(file,)).split(split)


def _tasks(start: int, n: int, draws: np.random.Generator, split: str, n_items: int) -> pa.Table:
    def lists(lengths: np.ndarray, values: np.ndarray, kind: Type) -> Any:
        offsets: Any = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
        flat: Any = pa.array(values)
        return pa.ListArray.from_arrays(offsets, flat).cast(ARROW_TYPES[kind])

    columns: dict[str, Any] = {
        "task_id": pa.array([f"task {start + number}" for number in range(n)]),
        "user_index": pa.array(draws.integers(1, N_USERS + 1, n), pa.int32()),
        "scenario": pa.repeat("warm", n),
        "split": pa.repeat(split, n),
    }
    for side, (low, high) in (("support", SUPPORT), ("query", (QUERY, QUERY))):
        lengths = draws.integers(low, high + 1, n)
        items = draws.integers(1, n_items + 1, lengths.sum())
        ratings = draws.integers(1, 6, lengths.sum()).astype(np.float32)
        columns[f"{side}_items"] = lists(lengths, items, Type.LIST_INT32)
        columns[f"{side}_ratings"] = lists(lengths, ratings, Type.LIST_FLOAT32)
    return pa.table(columns)


def _metapaths(draws: np.random.Generator, n_items: int) -> Metapaths:
    """Three meta-paths, each leading from every item to up to 64 others."""
    neighbours = draws.integers(1, n_items + 1, (3, n_items + 1, 64))
    neighbours *= np.arange(64) < draws.integers(0, 65, (3, n_items + 1, 1))
    neighbours[:, 0] = 0
    return Metapaths(
        names=("UMUM", "UMAM", "UMDM"),
        over_users=(True, False, False),
        neighbours=torch.from_numpy(neighbours),
    )


def inputs(episodes: Episodes, seed: int = 1, n_items: int | None = None) -> Inputs:
    """Made-up profiles with MovieLens-1M's number of attribute values, for these episodes."""
    n_items = n_items or N_ITEMS
    draws = np.random.default_rng(seed)
    counts = draws.integers(1, 300, n_items)
    users: dict[str, Any] = {"user_index": np.arange(1, N_USERS + 1)}
    items: dict[str, Any] = {
        "item_index": np.arange(1, n_items + 1),
        "train_n_ratings": counts,
        "train_rating_sum": counts * draws.uniform(2, 5, n_items),
    }

    def features(n: int, attributes: tuple[tuple[int, int], ...]) -> Features:
        width = max(longest for _, longest in attributes)
        values = np.full((n + 1, len(attributes), width), -1, dtype=np.int64)
        for number, (size, longest) in enumerate(attributes):
            values[1:, number, :longest] = draws.integers(1, size + 1, (n, longest))
        return Features(
            names=tuple(f"attribute {number}" for number in range(len(attributes))),
            values=torch.from_numpy(values),
            sizes=tuple(size + 1 for size, _ in attributes),
        )

    return Inputs(
        rating_levels=LEVELS,
        user_profiles=pa.table(users),
        item_profiles=pa.table(items),
        users=features(N_USERS, USER_ATTRIBUTES),
        items=features(n_items, ITEM_ATTRIBUTES),
        episodes=episodes,
        vocabulary_checksum="",
        metapaths=_metapaths(draws, n_items),
    )
