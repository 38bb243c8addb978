"""Rows that stay on a device make the batches that streamed rows make."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from meta_model.data.batching import distinct
from meta_model.data.inputs import Inputs
from meta_model.data.resampling import Resplit
from meta_model.data.resident import TrainingRows
from meta_model.data.tasks import Tasks

CPU = torch.device("cpu")
RESPLIT = Resplit(query_size=4, min_support=2, short_share=0.5, empty_share=0.2)


def _epoch(rows: TrainingRows, resampling: Resplit | None) -> list[Tasks]:
    return list(rows.batches(7, np.random.default_rng(3), resampling))


def _held(made: list[Tasks]) -> Counter[tuple[int, int, float]]:
    return Counter(
        (int(tasks.users[task]), int(tasks.items[side.rows[task, at]]), float(rating))
        for tasks in made
        for side in (tasks.support, tasks.query)
        for task in range(len(tasks))
        for at, rating in enumerate(side.ratings[task].tolist())
        if side.mask[task, at]
    )


def test_resident_rows_hold_what_streamed_rows_hold(inputs: Inputs) -> None:
    train = inputs.episodes.split("train")
    streamed, resident = (TrainingRows(train, CPU, room) for room in (0, 1 << 20))
    assert (streamed.resident, resident.resident is None) == (None, False)
    assert _held(_epoch(resident, None)) == _held(_epoch(streamed, None))


def test_resident_rows_are_resampled_in_every_epoch(inputs: Inputs) -> None:
    rows = TrainingRows(inputs.episodes.split("train"), CPU, 1 << 20)
    draws = np.random.default_rng(3)
    first, second = (_held(list(rows.batches(7, draws, RESPLIT))) for _ in range(2))
    assert first != second


def test_rows_that_take_too_much_are_streamed(inputs: Inputs) -> None:
    train = inputs.episodes.split("train")
    [table] = train.buffers()
    assert TrainingRows(train, CPU, table.nbytes).resident is not None
    assert TrainingRows(train, CPU, table.nbytes - 1).resident is None


def test_a_split_without_rows_has_no_batches(inputs: Inputs) -> None:
    nobody = inputs.episodes.split("train", scenario="nowhere")
    assert _epoch(TrainingRows(nobody, CPU, 1 << 20), None) == []


@pytest.mark.parametrize("n_items", [6, 1000])
def test_distinct_items_hold_every_place_once(n_items: int) -> None:
    """Of a small catalogue all items, of a large one the items of the batch and then zeros."""
    flat = torch.tensor([0, 5, 3, 0, 5, 5, 1, 2])
    items, places = distinct(flat, n_items)
    assert int(items[0]) == 0
    assert torch.equal(items[places], flat)
    found = items[items > 0].tolist()
    assert found == sorted(set(found))
    assert not places[flat == 0].any()
