"""Whether the night and the reference made the same profiles and episodes, row for row.

Both number users and items by arrival; rows are compared in the order of the tables' keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Array: TypeAlias = Any  # an Arrow array, of whatever type the column has

# The key first. Everything but attributes, titles and recent popularity, which the reference lacks.
COLUMNS = {
    "user_profiles": [
        "user_id", "user_index", "n_interactions", "first_seen", "last_seen", "is_new", "is_cold",
    ],
    "item_profiles": [
        "item_id", "item_index", "n_interactions", "first_seen", "rating_mean", "is_new",
        "train_n_ratings", "train_rating_sum",
    ],
    "episodes": [
        "task_id", "scenario", "split", "user_index", "support_items", "support_ratings",
        "query_items", "query_ratings",
    ],
}  # fmt: skip


def differences(night: Mapping[str, Path], reference: Path) -> Iterator[str]:
    """What differs, a line a column, of the folders of the night's tables and the reference's."""
    for table, names in COLUMNS.items():
        folders = (night[table], reference / f"{table}.parquet")
        orders = [pc.sort_indices(_column(folder, names[0])) for folder in folders]
        for name in names:
            ours, theirs = (
                _column(folder, name).take(order)
                for folder, order in zip(folders, orders, strict=True)
            )
            yield from _of_column(f"{table}.{name}", ours, theirs)


def _column(path: Path, name: str) -> Array:
    # Not partitioned by the folder's name: it says ds=..., which is no column.
    column = pq.read_table(path, columns=[name], partitioning=None)[name]
    return pa.concat_arrays(column.chunks)


def _of_column(name: str, ours: Array, theirs: Array) -> Iterator[str]:
    if len(ours) != len(theirs):
        yield f"{name}: {len(ours):,} rows where the reference has {len(theirs):,}"
    elif not ours.equals(theirs.cast(ours.type)):
        pairs = zip(ours.to_pylist(), theirs.to_pylist(), strict=True)
        row, pair = next((row, pair) for row, pair in enumerate(pairs) if pair[0] != pair[1])
        yield f"{name}: row {row:,} is {pair[0]} where the reference has {pair[1]}"
