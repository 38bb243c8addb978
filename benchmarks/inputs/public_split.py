"""A public split in four scenarios, as the inputs of a learner.

A folder holds users, items, train, warm, user_cold, item_cold and both_cold as Parquet. Ratings
carry a `role`, support or query, that the split was published with; a task is one user in one
scenario file. Statistics and vocabulary come from train alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.inputs import networks, split_tasks
from meta_model.data.episodes import Episodes
from meta_model.data.features import Features, features
from meta_model.data.inputs import Inputs
from schemas.errors import UserError
from schemas.tables.lake import SCENARIOS


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which columns of users and items are features, and what its meta-paths lead over."""

    users: tuple[str, ...]
    items: tuple[str, ...]
    metapaths: Mapping[str, str] = field(default_factory=dict)  # `users`, or a column of items


SPLITS: Mapping[str, Split] = {
    "ml-1m": Split(
        users=("gender", "age", "occupation"),
        items=("year", "rate", "genres", "directors", "actors"),
        metapaths={"UMUM": "users", "UMAM": "actors", "UMDM": "directors", "UMGM": "genres"},
    ),
    "dbook": Split(
        users=("location",),
        items=("publisher", "authors", "year"),
        metapaths={"UBUB": "users", "UBAB": "authors", "UBPB": "publisher"},
    ),
}
LEVELS = (1.0, 2.0, 3.0, 4.0, 5.0)


def load(folder: Path, split: Split, scratch: Path, *, windows: bool, seed: int) -> Inputs:
    """The split in `folder` as inputs, its episodes written to `scratch`.

    With `windows`, every train user with 13 ratings or more is cut into tasks of at most 100 at
    random, to be resampled in training; without, train tasks are those that the split was published
    with: users of 13 to 100 ratings.
    """
    if not (folder / "train.parquet").exists():
        raise UserError(
            f"{folder} holds no train.parquet; expected a folder with the files users, items, "
            f"train, {', '.join(SCENARIOS)} as Parquet."
        )
    users, items = (_indexed(folder, entity) for entity in ("user", "item"))
    train = _ratings(folder / "train.parquet", users, items)
    item_profiles = with_statistics(items, train)
    tasks = split_tasks.train_tasks(train, windows, seed)
    files = [split_tasks.episodes_file(scratch, "train", "warm", tasks)]
    for scenario in SCENARIOS:
        ratings = _ratings(folder / f"{scenario}.parquet", users, items)
        tasks = split_tasks.published_tasks(ratings)
        files.append(split_tasks.episodes_file(scratch, "test", scenario, tasks))
    return Inputs(
        rating_levels=LEVELS,
        user_profiles=users,
        item_profiles=item_profiles,
        users=_features(users, "user_index", split.users, train["user_index"]),
        items=_features(items, "item_index", split.items, train["item_index"]),
        episodes=Episodes(files=tuple(files), is_ordered=False),
        vocabulary_checksum="",
        metapaths=networks.metapaths(items, train, split.metapaths, seed),
    )


def train_ratings(folder: Path) -> pa.Table:
    """user_index, item_index, rating and role of `train`."""
    users, items = (_indexed(folder, entity) for entity in ("user", "item"))
    return _ratings(folder / "train.parquet", users, items)


def _indexed(folder: Path, entity: str) -> pa.Table:
    table = pq.read_table(folder / f"{entity}s.parquet").sort_by(f"{entity}_id")
    return table.append_column(f"{entity}_index", pa.array(np.arange(1, len(table) + 1)))


def _ratings(file: Path, users: pa.Table, items: pa.Table) -> pa.Table:
    """user_index, item_index, rating and role, in the file's order."""
    table = numbered(pq.read_table(file), users, items, str(file))
    return table.select(["user_index", "item_index", "rating", "role"])


def numbered(table: pa.Table, users: pa.Table, items: pa.Table, where: str) -> pa.Table:
    """The table with the indices of its users and items beside their ids."""
    for entity, of_entity in (("user", users), ("item", items)):
        known: Any = of_entity[f"{entity}_id"].combine_chunks()
        places = pc.index_in(table[f"{entity}_id"], known)
        if places.null_count:
            raise UserError(f"{where} names {places.null_count} {entity}s that {entity}s lacks.")
        index = f"{entity}_index"
        table = table.append_column(index, pc.add(places.cast(pa.int64()), 1))
    return table


def with_statistics(items: pa.Table, train: pa.Table) -> pa.Table:
    """The items with number and sum of their train ratings as columns, row for row."""
    rows = train["item_index"].to_numpy()
    size = len(items) + 1
    counts = np.bincount(rows, minlength=size)[1:]
    sums = np.bincount(rows, weights=train["rating"].to_numpy(), minlength=size)[1:]
    columns = {"train_n_ratings": counts, "train_rating_sum": sums, "n_interactions": counts}
    for name, values in columns.items():
        items = items.append_column(name, pa.array(values))
    return items


def _features(
    entities: pa.Table, index: str, names: tuple[str, ...], trained: pa.ChunkedArray[Any]
) -> Features:
    """The features as indices into the values that trained entities have; 0 for all others."""
    is_trained = pc.is_in(entities[index].combine_chunks(), pc.unique(trained))
    sizes, indexed = {}, entities.select([index])
    for name in names:
        # Typed loosely: the stubs know neither list arrays nor what these functions make of them.
        column: Any = entities[name].combine_chunks()
        is_list = pa.types.is_list(column.type)
        seen: Any = column.filter(is_trained)
        values: Any = pc.unique(seen.flatten() if is_list else seen).drop_null()
        values = values.take(pc.sort_indices(values))
        places: Any = pc.index_in(column.flatten() if is_list else column, values)
        places = pc.add(pc.fill_null(places, -1), pa.scalar(1))
        if is_list:
            places = pa.ListArray.from_arrays(column.offsets, places)
        indexed = indexed.append_column(name, places)
        sizes[name] = len(values) + 1
    return features(indexed, index, sizes)
