"""Padding and batching lose no place and invent none."""

from __future__ import annotations

import pyarrow as pa
import pytest
import torch

from meta_model.features import features, pad
from meta_model.inputs import Inputs
from meta_model.tasks import batches


def test_pad_makes_a_matrix_of_ragged_lists() -> None:
    matrix, mask = pad(pa.chunked_array([[[1, 2, 3], []], [[4]]], pa.list_(pa.int32())))
    assert matrix.tolist() == [[1, 2, 3], [0, 0, 0], [4, 0, 0]]
    assert mask.tolist() == [[True, True, True], [False] * 3, [True, False, False]]


def test_pad_of_a_slice_takes_only_the_slice() -> None:
    column = pa.chunked_array([[[1, 2], [3], [4, 5]]], pa.list_(pa.int32())).slice(1)
    assert pad(column)[0].tolist() == [[3, 0], [4, 5]]


def test_pad_of_empty_lists_keeps_one_column() -> None:
    matrix, mask = pad(pa.chunked_array([[[], []]], pa.list_(pa.int32())))
    assert matrix.shape == (2, 1)
    assert not mask.any()


@pytest.mark.parametrize("seed", [None, 5])
def test_batches_hold_every_task_once(inputs: Inputs, seed: int | None) -> None:
    rows = inputs.split("train")
    shuffle = None if seed is None else torch.Generator().manual_seed(seed)
    made = list(batches(rows, 7, shuffle))
    users = torch.cat([tasks.users for tasks in made]).tolist()
    assert sorted(users) == sorted(rows["user_index"].to_pylist())
    places = sum(int(tasks.support_mask.sum()) for tasks in made)
    assert places == sum(map(len, rows["support_items"].to_pylist()))
    assert all(bool(tasks.in_statistics.all()) for tasks in made)


def test_a_gap_in_the_index_is_refused() -> None:
    profiles = pa.table({"user_index": [1, 3], "age": [1, 1]})
    with pytest.raises(ValueError, match="user_index is not dense from 1 to 2"):
        features(profiles, "user_index", ["age"], {"age": 2})
