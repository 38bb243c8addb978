"""Profiles as index tensors: row i holds the attributes of the user (item) with dense index i.

Row 0 stands for an unknown user (item) and holds no values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Features:
    """All attributes of N entities.

    values: [N + 1, F, W] vocabulary indices, W the most values of an entity's feature; 0 stands for
            a value that the vocabulary lacks, -1 for none
    sizes:  number of vocabulary values of each feature, 0 included
    """

    names: tuple[str, ...]
    values: Tensor
    sizes: tuple[int, ...]


def features(profiles: pa.Table, index: str, sizes: dict[str, int]) -> Features:
    """The features named in `sizes` of `profiles`, ordered by the dense `index` column."""
    profiles = profiles.sort_by(index)
    expected = np.arange(1, len(profiles) + 1)
    if not np.array_equal(profiles[index].to_numpy(), expected):
        raise ValueError(f"{index} is not dense from 1 to {len(profiles)}")
    columns = [_padded(profiles[name]) for name in sizes]
    width = max((column.shape[1] for column in columns), default=1)
    values = np.full((len(profiles) + 1, len(columns), width), -1, dtype=np.int64)
    for number, column in enumerate(columns):
        values[1:, number, : column.shape[1]] = column
    return Features(
        names=tuple(sizes), values=torch.from_numpy(values), sizes=tuple(sizes.values())
    )


def _padded(column: pa.ChunkedArray[Any]) -> np.ndarray:
    """[N, W] from a column of indices, or of lists of them."""
    if not pa.types.is_list(column.type):
        return column.to_numpy()[:, None]
    values, mask = pad(column)
    return np.where(mask, values, -1)


def pad(lists: pa.ChunkedArray[Any]) -> tuple[np.ndarray, np.ndarray]:
    """A list column as a matrix [rows, longest] and the mask of its values."""
    combined = lists.combine_chunks()
    assert isinstance(combined, pa.ListArray)
    offsets = combined.offsets.to_numpy()
    lengths = np.diff(offsets)
    mask = np.arange(max(1, lengths.max(initial=0))) < lengths[:, None]
    flat = combined.flatten().to_numpy(zero_copy_only=False)
    matrix = np.zeros(mask.shape, dtype=flat.dtype)
    matrix[mask] = flat
    return matrix, mask
