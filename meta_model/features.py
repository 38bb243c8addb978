"""Profiles as index tensors: row i holds the attributes of the user (item) with dense index i.

Row 0 stands for an unknown user (item) and holds nothing but zeros.
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

    single: [N + 1, F] vocabulary indices of the single-valued features
    multi:  one [N + 1, W] for each multi-valued feature, padded with 0
    sizes:  number of vocabulary values, 0 included, of each single and then each multi feature
    """

    single: Tensor
    multi: tuple[Tensor, ...]
    sizes: tuple[int, ...]


def features(profiles: pa.Table, index: str, sizes: dict[str, int]) -> Features:
    """The features named in `sizes` of `profiles`, ordered by the dense `index` column."""
    profiles = profiles.sort_by(index)
    expected = np.arange(1, len(profiles) + 1)
    if not np.array_equal(profiles[index].to_numpy(), expected):
        raise ValueError(f"{index} is not dense from 1 to {len(profiles)}")
    is_list = {name: pa.types.is_list(profiles.schema.field(name).type) for name in sizes}
    single_names = [name for name in sizes if not is_list[name]]
    multi_names = [name for name in sizes if is_list[name]]
    single = np.zeros((len(profiles) + 1, len(single_names)), dtype=np.int64)
    for position, name in enumerate(single_names):
        single[1:, position] = profiles[name].to_numpy()
    multi = tuple(
        torch.from_numpy(np.vstack([np.zeros((1, padded.shape[1]), dtype=np.int64), padded]))
        for padded in (_padded(profiles[name]) for name in multi_names)
    )
    return Features(
        single=torch.from_numpy(single),
        multi=multi,
        sizes=tuple(sizes[name] for name in (*single_names, *multi_names)),
    )


def _padded(lists: pa.ChunkedArray[Any]) -> np.ndarray:
    values, mask = pad(lists)
    return np.where(mask, values, 0).astype(np.int64)


def pad(lists: pa.ChunkedArray[Any]) -> tuple[np.ndarray, np.ndarray]:
    """A list column as a matrix [rows, longest] and the mask of its real places."""
    combined = lists.combine_chunks()
    assert isinstance(combined, pa.ListArray)
    offsets = combined.offsets.to_numpy()
    lengths = np.diff(offsets)
    mask = np.arange(max(1, lengths.max(initial=0))) < lengths[:, None]
    flat = combined.flatten().to_numpy(zero_copy_only=False)
    matrix = np.zeros(mask.shape, dtype=flat.dtype)
    matrix[mask] = flat
    return matrix, mask
