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

from benchmarks.inputs import networks
from meta_model.data.episodes import Episodes
from meta_model.data.features import Features, features
from meta_model.data.inputs import Inputs
from schemas.errors import UserError
from schemas.tables.lake import SCENARIOS

LONGEST_TASK = 100
SHORTEST_TASK = 13


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
    files = [episodes_file(scratch, "train", "warm", train_tasks(train, windows, seed))]
    for scenario in SCENARIOS:
        ratings = _ratings(folder / f"{scenario}.parquet", users, items)
        files.append(episodes_file(scratch, "test", scenario, _published_tasks(ratings)))
    return Inputs(
        rating_levels=LEVELS,
        user_profiles=users,
        item_profiles=item_profiles,
        users=_features(users, "user_index", split.users, train["user_index"]),
        items=_features(items, "item_index", split.items, train["item_index"]),
        episodes=Episodes(files=tuple(files)),
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


def drawn_tasks(ratings: pa.Table, query: int, seed: int) -> pa.Table:
    """One row a user of 13 ratings or more: at most 100 of them, `query` of these as query."""
    draws = np.random.default_rng(seed)
    mixed = ratings.take(draws.permutation(len(ratings))).sort_by("user_index")
    users = mixed["user_index"].to_numpy()
    _, starts, counts = np.unique(users, return_index=True, return_counts=True)
    place = np.arange(len(mixed)) - np.repeat(starts, counts)
    role = pa.array(np.where(place < query, "query", "support"))
    is_kept = (np.repeat(counts, counts) >= SHORTEST_TASK) & (place < LONGEST_TASK)
    if "role" in mixed.column_names:
        mixed = mixed.drop_columns(["role"])
    return _published_tasks(mixed.append_column("role", role).filter(pa.array(is_kept)))


def _published_tasks(ratings: pa.Table) -> pa.Table:
    """One row a user: the ratings that have a role, by role."""
    ratings = ratings.filter(pc.is_valid(ratings["role"]))
    tasks: dict[str, Any] = {}
    for role in ("support", "query"):
        of_role = ratings.filter(pc.equal(ratings["role"], pa.scalar(role)))
        lists = of_role.group_by("user_index", use_threads=False).aggregate(
            [("item_index", "list"), ("rating", "list")]
        )
        lists = lists.sort_by("user_index")
        if not tasks.get("user_index", lists["user_index"]).equals(lists["user_index"]):
            raise UserError("a user of the split has a support or a query, and not both.")
        tasks["user_index"] = lists["user_index"]
        tasks[f"{role}_items"] = lists["item_index_list"]
        tasks[f"{role}_ratings"] = lists["rating_list"]
    return pa.table(tasks)


def train_tasks(train: pa.Table, windows: bool, seed: int) -> pa.Table:
    """Episodes of train users: windows of mixed ratings, or the tasks as they were published."""
    if not windows:
        return _published_tasks(train)
    draws = np.random.default_rng(seed)
    mixed = train.take(draws.permutation(len(train))).sort_by("user_index")
    _, starts, counts = np.unique(
        mixed["user_index"].to_numpy(), return_index=True, return_counts=True
    )
    place = np.arange(len(mixed)) - np.repeat(starts, counts)
    n_windows = -(-counts // LONGEST_TASK)
    window = place * np.repeat(n_windows, counts) // np.repeat(counts, counts)
    mixed = mixed.append_column("window", pa.array(window))
    mixed = mixed.filter(pa.array(np.repeat(counts >= SHORTEST_TASK, counts)))
    lists = mixed.group_by(["user_index", "window"], use_threads=False).aggregate(
        [("item_index", "list"), ("rating", "list")]
    )
    return _all_support(lists)


def whole_tasks(ratings: pa.Table) -> pa.Table:
    """One task a user: all of their ratings as support, and no query."""
    lists = ratings.group_by("user_index", use_threads=False).aggregate(
        [("item_index", "list"), ("rating", "list")]
    )
    return _all_support(lists)


def _all_support(lists: pa.Table) -> pa.Table:
    nothing: Any = pa.array([[]] * len(lists))
    tasks: dict[str, Any] = {
        "user_index": lists["user_index"],
        "support_items": lists["item_index_list"],
        "support_ratings": lists["rating_list"],
        "query_items": nothing.cast(pa.list_(pa.int64())),
        "query_ratings": nothing.cast(pa.list_(pa.float32())),
    }
    return pa.table(tasks)


def episodes_file(scratch: Path, split: str, scenario: str, tasks: pa.Table) -> Path:
    """The tasks as a file of episodes."""
    n = len(tasks)
    columns: dict[str, Any] = {
        "task_id": pa.array([f"{split}/{scenario}/{n}" for n in range(n)]),
        "user_index": tasks["user_index"].cast(pa.int32()),
        "scenario": pa.repeat(scenario, n),
        "split": pa.repeat(split, n),
    }
    for side in ("support", "query"):
        columns[f"{side}_items"] = tasks[f"{side}_items"].cast(pa.list_(pa.int32()))
        columns[f"{side}_ratings"] = tasks[f"{side}_ratings"].cast(pa.list_(pa.float32()))
    file = scratch / f"{split}-{scenario}.parquet"
    pq.write_table(pa.table(columns), file, row_group_size=1024)
    return file
