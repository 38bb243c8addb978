"""Tasks of a table of ratings, and files of episodes that hold them.

Ratings have the columns user_index, item_index and rating; published ones also a `role`, support or
query. A table of tasks has one row a task: its user, and the items and ratings of each side.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.errors import UserError

LONGEST_TASK = 100
SHORTEST_TASK = 13


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
    return published_tasks(mixed.append_column("role", role).filter(pa.array(is_kept)))


def published_tasks(ratings: pa.Table) -> pa.Table:
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
        return published_tasks(train)
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
