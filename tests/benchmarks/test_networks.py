"""Neighbours over a public split's network: exact while they fit, a sample where they do not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.inputs import networks

ITEMS = pa.table(
    {
        "item_index": [1, 2, 3, 4, 5],
        "actors": [["a", "b"], ["b"], [], ["a"], ["a"]],
        "publisher": pa.array([7, 8, 7, None, None], pa.int32()),
    }
)
TRAIN = pa.table({"user_index": [1, 1, 2, 2, 3], "item_index": [1, 2, 2, 3, 4]})


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ("users", {1: [2], 2: [1, 3], 3: [2], 4: [], 5: []}),
        ("actors", {1: [2, 4], 2: [1], 3: [], 4: [1], 5: [1, 4]}),  # 5 has no rating in train
        ("publisher", {1: [3], 2: [], 3: [1], 4: [], 5: []}),
    ],
)
def test_neighbours_by_hand(over: str, expected: dict[int, list[int]]) -> None:
    made = networks.metapaths(ITEMS, TRAIN, {"path": over}, seed=1)
    assert made.names == ("path",)
    assert made.neighbours.shape == (1, 6, networks.CAP)
    found = {item: [n for n in made.neighbours[0, item].tolist() if n] for item in range(6)}
    assert found == {0: [], **expected}


def test_of_many_a_seeded_sample_that_differs_from_item_to_item() -> None:
    n = 250
    items = pa.table({"item_index": np.arange(1, n + 1), "genre": ["one"] * n})
    train = pa.table({"user_index": np.ones(n, np.int64), "item_index": np.arange(1, n + 1)})
    over = {"U": "users", "G": "genre"}
    made, again, other = (networks.metapaths(items, train, over, seed) for seed in (1, 1, 2))
    lists = made.neighbours[:, 1:].numpy()
    assert (lists > 0).all()
    assert (np.diff(lists, axis=-1) > 0).all(), "ascending, each once"
    assert not (lists == np.arange(1, n + 1)[None, :, None]).any()
    assert len(np.unique(lists)) == n
    assert made.neighbours.equal(again.neighbours)
    assert not made.neighbours.equal(other.neighbours)
