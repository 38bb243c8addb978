"""A split small enough to read: 60 users, 50 items, 20 of them without a training rating."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

OLD, NEW = range(1, 31), range(31, 51)  # items with and without training ratings


def _ratings(users: range, items: range, draws: np.random.Generator, n: int) -> pa.Table:
    rows = [
        {"user_id": user, "item_id": int(item), "rating": float(draws.integers(1, 6)), "role": role}
        for user in users
        for item, role in zip(
            draws.permutation(list(items))[:n], ["query"] * 3 + ["support"] * (n - 3), strict=True
        )
    ]
    return pa.Table.from_pylist(rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draws = np.random.default_rng(1)
    folder = tmp_path / "ml-1m"
    folder.mkdir()
    users = [
        {"user_id": u, "gender": "FM"[u % 2], "age": u % 3, "occupation": u % 5}
        for u in range(1, 61)
    ]
    items = [
        {
            "item_id": i,
            "year": "1995" if i in OLD else "2000",
            "rate": "G",
            "genres": ["Comedy"] if i in OLD else ["Comedy", "War"],
            "directors": [f"d{i % 4}"],
            "actors": [f"a{i % 9}", f"a{i % 7}"],
        }
        for i in range(1, 51)
    ]
    pq.write_table(pa.Table.from_pylist(users), folder / "users.parquet")
    pq.write_table(pa.Table.from_pylist(items), folder / "items.parquet")
    files = {
        "train": (range(1, 41), OLD, 20),
        "warm": (range(1, 41), OLD, 8),
        "user_cold": (range(41, 61), OLD, 8),
        "item_cold": (range(1, 41), NEW, 8),
        "both_cold": (range(41, 61), NEW, 8),
    }
    for name, (of_users, of_items, n) in files.items():
        pq.write_table(_ratings(of_users, of_items, draws, n), folder / f"{name}.parquet")
    return folder
