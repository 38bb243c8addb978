"""Whether the night and the reference made the same profiles and episodes, row for row.

Both sort by the tables' keys, and number users and items densely, each in an order of its own: the
night's indices are translated to the reference's by the ids of the profiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Array: TypeAlias = Any  # an Arrow array, of whatever type the column has

# Everything but the profiles' attributes and titles, which the reference has not.
COLUMNS = {
    "user_profiles": ["user_id", "n_interactions", "first_seen", "last_seen", "is_new", "is_cold"],
    "item_profiles": [
        "item_id", "n_interactions", "first_seen", "rating_mean", "is_new", "train_n_ratings",
        "train_rating_sum",
    ],
    "episodes": [
        "task_id", "scenario", "split", "user_index", "support_items", "support_ratings",
        "query_items", "query_ratings",
    ],
}  # fmt: skip
_INDEX_OF = {"user_index": "user", "support_items": "item", "query_items": "item"}


def differences(night: Mapping[str, Path], reference: Path) -> Iterator[str]:
    """What differs, a line a column, of the folders of the night's tables and the reference's."""
    to_reference = {}
    for kind in ("user", "item"):
        table, key, index = f"{kind}_profiles", f"{kind}_id", f"{kind}_index"
        ids = [_column(path, key) for path in _both(night, reference, table)]
        if not ids[0].equals(ids[1]):
            yield f"{table}: {len(ids[0]):,} {kind}s are not the reference's {len(ids[1]):,}"
            return
        ours, theirs = (_column(path, index) for path in _both(night, reference, table))
        to_reference[kind] = np.zeros(len(ours) + 1, np.int32)
        to_reference[kind][ours.to_numpy()] = theirs.to_numpy()
    for table, names in COLUMNS.items():
        for name in names:
            ours, theirs = (_column(path, name) for path in _both(night, reference, table))
            if name in _INDEX_OF:
                ours = _translated(ours, to_reference[_INDEX_OF[name]])
            yield from _of_column(f"{table}.{name}", ours, theirs)


def _both(night: Mapping[str, Path], reference: Path, table: str) -> tuple[Path, Path]:
    return night[table], reference / f"{table}.parquet"


def _column(path: Path, name: str) -> Array:
    # Not partitioned by the folder's name: it says ds=..., which is no column.
    column = pq.read_table(path, columns=[name], partitioning=None)[name]
    return pa.concat_arrays(column.chunks)


def _translated(indices: Array, to_reference: npt.NDArray[np.int32]) -> Array:
    if not pa.types.is_list(indices.type):
        return pa.array(to_reference[indices.to_numpy()])
    values = pa.array(to_reference[indices.values.to_numpy()])
    return pa.ListArray.from_arrays(indices.offsets, values)


def _of_column(name: str, ours: Array, theirs: Array) -> Iterator[str]:
    if len(ours) != len(theirs):
        yield f"{name}: {len(ours):,} rows where the reference has {len(theirs):,}"
    elif not ours.equals(theirs.cast(ours.type)):
        pairs = zip(ours.to_pylist(), theirs.to_pylist(), strict=True)
        row, pair = next((row, pair) for row, pair in enumerate(pairs) if pair[0] != pair[1])
        yield f"{name}: row {row:,} is {pair[0]} where the reference has {pair[1]}"
