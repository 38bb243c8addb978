"""Metrics of lists on lists that can be judged in the head."""

from __future__ import annotations

import math

import pytest
import torch

from meta_model.evaluation import list_metrics

HITS = torch.tensor([[True, False, True], [False, False, False], [False, True, False]])
N_RELEVANT = torch.tensor([2, 1, 5])
SECOND, THIRD = 1 / math.log2(3), 1 / math.log2(4)


def test_ndcg_is_what_was_gained_of_what_could_be() -> None:
    found = list_metrics.ndcg(HITS, N_RELEVANT, 3)
    ideal_of_five = 1 + SECOND + THIRD  # three ranks hold no more than three of them
    expected = [(1 + THIRD) / (1 + SECOND), 0, SECOND / ideal_of_five]
    assert found.tolist() == pytest.approx(expected)


def test_ndcg_looks_at_k_ranks_only() -> None:
    assert list_metrics.ndcg(HITS, N_RELEVANT, 1).tolist() == [1, 0, 0]


def test_recall_is_of_what_k_ranks_can_hold() -> None:
    assert list_metrics.recall(HITS, N_RELEVANT, 3).tolist() == pytest.approx([1, 0, 1 / 3])
    assert list_metrics.recall(HITS, N_RELEVANT, 2).tolist() == pytest.approx([1 / 2, 0, 1 / 2])


def test_a_hit_is_any_relevant_item_among_k() -> None:
    assert list_metrics.hit_rate(HITS, 3).tolist() == [1, 0, 1]
    assert list_metrics.hit_rate(HITS, 1).tolist() == [1, 0, 0]


LISTS = torch.tensor([[1, 2], [1, 3], [1, 0]])  # the third user has one candidate


def test_coverage_counts_each_item_once() -> None:
    assert list_metrics.coverage(LISTS, n_candidates=6) == 3 / 6


def test_overlap_is_the_mean_of_all_pairs() -> None:
    assert list_metrics.overlap(LISTS) == pytest.approx(1 / 2)  # item 1 in each pair of lists of 2
    assert list_metrics.overlap(torch.tensor([[1, 2], [2, 1]])) == 1
    assert list_metrics.overlap(torch.tensor([[1, 2], [3, 4]])) == 0


def test_gini_goes_from_all_alike_to_one_alone() -> None:
    assert list_metrics.gini(torch.tensor([[1, 2], [3, 4]]), n_candidates=4) == pytest.approx(0)
    assert list_metrics.gini(torch.tensor([[1], [1]]), n_candidates=4) == pytest.approx(3 / 4)
    assert list_metrics.gini(torch.zeros(2, 2, dtype=torch.int64), n_candidates=4) == 0


def test_novelty_is_the_self_information_of_what_is_shown() -> None:
    popularity = torch.tensor([0.0, 4, 2, 2, 0])
    assert list_metrics.novelty(torch.tensor([[1, 2], [3, 0]]), popularity) == pytest.approx(5 / 3)
