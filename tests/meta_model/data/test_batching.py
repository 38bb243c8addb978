"""Padding, batching and resampling lose no interaction and invent none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from meta_model.data.batching import batches, drawn
from meta_model.data.features import features, pad
from meta_model.data.inputs import Inputs
from meta_model.data.interaction_set import InteractionSet
from meta_model.data.resampling import Resplit, Swap
from meta_model.data.tasks import Tasks

RESPLIT = Resplit(query_size=4, min_support=2, short_share=0.5, empty_share=0.2)


def _interactions(tasks: Tasks, *sets: InteractionSet) -> Counter[tuple[int, int, float]]:
    """(user, item, rating) of all positions that are no padding."""
    return Counter(
        (int(tasks.users[task]), int(tasks.items[interactions.rows[task, position]]), float(rating))
        for interactions in sets
        for task, position, rating in _positions(interactions)
    )


def _positions(interactions: InteractionSet) -> list[tuple[int, int, float]]:
    return [
        (*at, float(interactions.ratings[*at])) for at in torch.nonzero(interactions.mask).tolist()
    ]


def _published(rows: pa.Table) -> Counter[tuple[int, int, float]]:
    return Counter(
        (row["user_index"], item, rating)
        for row in rows.to_pylist()
        for side in ("support", "query")
        for item, rating in zip(row[f"{side}_items"], row[f"{side}_ratings"], strict=True)
    )


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
def test_batches_hold_every_interaction_once(inputs: Inputs, rows, seed: int | None) -> None:
    shuffle = None if seed is None else np.random.default_rng(seed)
    made = list(batches(inputs.episodes.split("train"), 7, shuffle))
    assert max(map(len, made)) == 7
    counted = sum((_interactions(tasks, tasks.support, tasks.query) for tasks in made), Counter())
    assert counted == _published(rows("train"))
    for tasks in made:
        assert bool(tasks.in_statistics.all())
        assert int(tasks.items[0]) == 0
        assert len(tasks.items) == len(tasks.items.unique())
        assert not tasks.support.rows[~tasks.support.mask].any()


def test_tasks_of_like_length_come_together(inputs: Inputs) -> None:
    """In one batch all train supports would pad to the longest."""
    alike, mixed = (
        sum(int(tasks.padding[0]) for tasks in batches(inputs.episodes.split("train"), size))
        for size in (4, 24)
    )
    assert alike < 0.5 * mixed


def test_any_task_is_as_likely_to_be_drawn(
    inputs: Inputs, rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meta_model.data.episodes.BUFFER_TASKS", 7)
    monkeypatch.setattr("meta_model.data.batching._DRAWN_TOGETHER", 3)
    episodes = inputs.episodes.split("train")
    everything = _published(rows("train"))
    assert sum((_interactions(each, each.support, each.query) for each in drawn(episodes, 999, 1)),
               Counter()) == everything  # fmt: skip
    times: Counter[int] = Counter()
    for seed in range(40):
        found = drawn(episodes, 5, seed)
        assert [len(each) for each in found] == [3, 2]
        users = [int(user) for each in found for user in each.users]
        assert users == [int(user) for each in drawn(episodes, 5, seed) for user in each.users]
        for each in found:
            assert _interactions(each, each.support, each.query) <= everything
        times.update(users)
    # A task of n is drawn 40 * 5 / n times, and a user may have several tasks.
    expected = Counter(rows("train")["user_index"].to_pylist())
    share = 40 * 5 / expected.total()
    chance = sum((times[u] - n * share) ** 2 / (n * share) for u, n in expected.items())
    assert chance < 2 * len(expected), "beyond the chi-squared of an even draw"


def test_resplit_tasks_keep_to_their_interactions(inputs: Inputs, rows) -> None:
    made = list(batches(inputs.episodes.split("train"), 7, np.random.default_rng(1), RESPLIT))
    supports, queries = Counter(), Counter()
    for tasks in made:
        supports += _interactions(tasks, tasks.support)
        queries += _interactions(tasks, tasks.query)
        assert tasks.query.mask.sum(1).tolist() == [4] * len(tasks)
        assert (tasks.in_statistics).all()
    assert not supports & queries
    assert (supports + queries) <= _published(rows("train"))
    lengths = torch.cat([tasks.support.mask.sum(1) for tasks in made])
    assert (lengths == 0).any()
    assert (lengths >= 2).sum() == (lengths > 0).sum()


@pytest.mark.parametrize("min_support", [1, 3])
def test_short_supports_are_spread_over_the_logarithm_of_their_length(min_support: int) -> None:
    """As many between 1 and 3 as between 3 and 9, 9 and 27; the longest there can be is 80."""
    resampling = Resplit(query_size=10, min_support=min_support, short_share=0.8, empty_share=0.1)
    n, totals = 40_000, np.full(40_000, 90)
    supports, queries = resampling.lengths(totals, totals * 0, np.random.default_rng(1))
    assert set(queries) == {10}
    error = 4 * (0.25 / n) ** 0.5
    assert np.mean(supports == 0) == pytest.approx(0.1, abs=error)
    assert np.mean(supports == 80) == pytest.approx(0.1, abs=error + 0.01)
    short = supports[(supports > 0) & (supports < 80)]
    assert short.min() == min_support
    for low, high in ((min_support, 9), (9, 27), (27, 81)):
        share = np.log(high / low) / np.log(81 / min_support)
        assert np.mean((short >= low) & (short < high)) == pytest.approx(share, abs=0.02)


def test_tasks_too_small_for_a_support_keep_what_they_have() -> None:
    resampling = Resplit(query_size=10, min_support=3, short_share=0.9, empty_share=0.0)
    totals = np.array([1, 2, 3, 4])
    for seed in range(20):
        supports, queries = resampling.lengths(totals, totals * 0, np.random.default_rng(seed))
        assert queries.tolist() == [1, 1, 1, 1]
        assert supports.tolist() == [0, 1, 2, 3]


def test_tasks_are_in_the_order_of_time_unless_episodes_are_not_or_they_are_drawn_anew(
    inputs: Inputs,
) -> None:
    train = inputs.episodes.split("train")
    drawn = batches(train, 24, np.random.default_rng(1), RESPLIT)
    unordered = batches(replace(train, is_ordered=False), 24)
    for made, is_ordered in ((batches(train, 24), True), (unordered, False), (drawn, False)):
        tasks = next(made)
        found = (tasks, tasks[torch.tensor([0])], tasks.to(torch.device("cpu")), tasks.whole())
        assert [each.is_ordered for each in found] == [is_ordered] * 4


def test_resplit_tasks_are_others_in_every_epoch(inputs: Inputs) -> None:
    queries = []
    for seed in (1, 2):
        made = batches(inputs.episodes.split("train"), 24, np.random.default_rng(seed), RESPLIT)
        queries.append(_interactions(*((tasks := next(made)), tasks.query)))
    assert queries[0] != queries[1]


def test_swapped_tasks_keep_the_ratings_of_support_and_query(implicit: Inputs) -> None:
    train = implicit.episodes.split("train")
    [before] = batches(train, 24)
    [after] = batches(train, 24, np.random.default_rng(1), Swap())

    def shares(tasks: Tasks) -> dict[int, list[tuple[int, int]]]:
        sides = [(side.mask.sum(1), side.ratings.sum(1)) for side in (tasks.support, tasks.query)]
        return {
            user: [(int(n[task]), int(chosen[task])) for n, chosen in sides]
            for task, user in enumerate(tasks.users.tolist())
        }

    assert shares(after) == shares(before)
    whole = [_interactions(tasks, tasks.support, tasks.query) for tasks in (before, after)]
    assert whole[0] == whole[1]
    assert _interactions(before, before.query) != _interactions(after, after.query)


def test_whole_tasks_have_their_query_in_the_support(tasks_of, rows) -> None:
    whole = tasks_of("train").whole()
    assert _interactions(whole, whole.support) == _published(rows("train"))


def test_a_gap_in_the_index_is_refused() -> None:
    profiles = pa.table({"user_index": [1, 3], "age": [1, 1]})
    with pytest.raises(ValueError, match="user_index is not dense from 1 to 2"):
        features(profiles, "user_index", {"age": 2})
