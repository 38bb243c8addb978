"""Metrics by hand-computed numbers."""

from __future__ import annotations

from itertools import permutations
from math import log, log2

import pytest
import torch

from meta_model.evaluation import metrics

RATINGS = torch.tensor([[5.0, 3.0, 1.0, 0.0]])
PREDICTED = torch.tensor([[2.0, 4.0, 3.0, 9.0]])
MASK = torch.tensor([[True, True, True, False]])


def test_mae_and_rmse_leave_padding_out() -> None:
    assert metrics.mae(PREDICTED, RATINGS, MASK).item() == pytest.approx((3 + 1 + 2) / 3)
    assert metrics.rmse(PREDICTED, RATINGS, MASK).item() == pytest.approx((14 / 3) ** 0.5)


# Of each task the first two are positive, and of the second one there is one: ratings in QUERY.
QUERY = torch.tensor([[1.0, 1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]])
QUERY_MASK = torch.tensor([[True, True, True, True, True], [True, True, True, False, False]])
SCORES = torch.tensor([[0.9, 0.4, 0.5, 0.4, 0.1], [0.3, 0.3, 0.3, 0.8, 0.9]])


def test_auc_counts_ties_half_and_no_padding() -> None:
    # first: 0.9 beats three; 0.4 beats one and ties with one. second: ties with both
    expected = [(3 + 1.5) / 6, 0.5]
    assert metrics.auc(SCORES, QUERY, QUERY_MASK).tolist() == pytest.approx(expected)


def test_positives_are_ranked_among_the_negatives_alone() -> None:
    # first: ranks 1, and 2 or 3 (a tie). second: ranks 1, 2 or 3
    at_1 = metrics.hit_rate(SCORES, QUERY, QUERY_MASK, 1).tolist()
    assert at_1 == pytest.approx([(1 + 0) / 2, 1 / 3])
    at_2 = metrics.hit_rate(SCORES, QUERY, QUERY_MASK, 2).tolist()
    assert at_2 == pytest.approx([(1 + 1 / 2) / 2, 2 / 3])
    gains = [1 / log2(2), 1 / log2(3), 1 / log2(4)]
    assert metrics.ndcg_of_positives(SCORES, QUERY, QUERY_MASK, 2).tolist() == pytest.approx(
        [(gains[0] + gains[1] / 2) / 2, (gains[0] + gains[1]) / 3]
    )
    assert metrics.ndcg_of_positives(SCORES, QUERY, QUERY_MASK, 10).tolist() == pytest.approx(
        [(gains[0] + (gains[1] + gains[2]) / 2) / 2, sum(gains) / 3]
    )


@pytest.mark.parametrize("n_negatives", [4, 100])
def test_constant_scores_are_chance(n_negatives: int) -> None:
    ratings = torch.tensor([[1.0, 1.0, *[0.0] * n_negatives]])
    task = (torch.full_like(ratings, 0.7), ratings, torch.ones_like(ratings, dtype=torch.bool))
    ranks = n_negatives + 1
    found = min(10, ranks)
    assert metrics.auc(*task).item() == 0.5
    assert metrics.hit_rate(*task, 10).item() == pytest.approx(found / ranks)
    dcg = sum(1 / log2(rank + 1) for rank in range(1, found + 1))
    assert metrics.ndcg_of_positives(*task, 10).item() == pytest.approx(dcg / ranks)


def test_log_loss_is_of_probabilities_kept_off_the_ends() -> None:
    ratings, mask = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[True, True, False]])
    found = metrics.log_loss(torch.tensor([[0.25, 0.5, 0.9]]), ratings, mask).item()
    assert found == pytest.approx(-(log(0.25) + log(0.5)) / 2)
    wrong = metrics.log_loss(torch.tensor([[-0.1, 0.0, 0.9]]), ratings, mask).item()
    assert wrong == pytest.approx((-log(1e-6) + 0) / 2, rel=1e-4)


def test_ndcg_ranks_by_the_prediction() -> None:
    # predicted order: ratings 3, 1, 5; the best order: 5, 3, 1
    found = 7 / log2(2) + 1 / log2(3)
    best = 31 / log2(2) + 7 / log2(3)
    assert metrics.ndcg(PREDICTED, RATINGS, MASK, 2).item() == pytest.approx(found / best)


def test_ndcg_of_the_true_order_is_one_and_padding_never_ranks() -> None:
    assert metrics.ndcg(RATINGS, RATINGS, MASK, 5).item() == pytest.approx(1)


def test_ties_keep_the_order_of_the_query() -> None:
    flat = torch.zeros(1, 3)
    mask = torch.ones(1, 3, dtype=torch.bool)
    best_last = torch.tensor([[1.0, 1.0, 5.0]])
    found = 1 / log2(2)
    best = 31 / log2(2)
    assert metrics.ndcg(flat, best_last, mask, 1).item() == pytest.approx(found / best)


def test_chance_is_the_mean_over_all_orders() -> None:
    ratings = torch.tensor([[1.0, 4.0, 5.0, 2.0, 0.0]])
    mask = torch.tensor([[True, True, True, True, False]])
    orders = [
        metrics.ndcg(torch.tensor([[*order, 0.0]]), ratings, mask, 3).item()
        for order in permutations([1.0, 2.0, 3.0, 4.0])
    ]
    chance = metrics.chance_ndcg(ratings, mask, 3).item()
    assert chance == pytest.approx(sum(orders) / len(orders))


def test_chance_of_a_query_shorter_than_k() -> None:
    ratings, mask = torch.tensor([[3.0, 3.0, 0.0]]), torch.tensor([[True, True, False]])
    assert metrics.chance_ndcg(ratings, mask, 5).item() == pytest.approx(1)


@pytest.mark.parametrize(("low", "high"), [(-10.0, 10.0), (0.0, 1000.0), (-3.0, -1.0)])
def test_any_scale_has_gains_from_its_lowest_level(low, high):
    places = torch.tensor([[1.0, 0.0, 0.5, 0.25]])
    ratings, mask = low + places * (high - low), torch.ones(1, 4, dtype=torch.bool)
    grades = metrics.graded(ratings, low, high)
    torch.testing.assert_close(grades, places * 5)
    assert metrics.ndcg(ratings, grades, mask, 4).item() == pytest.approx(1)
    assert 0 < metrics.ndcg(-ratings, grades, mask, 4).item() < 1
    assert 0 < metrics.chance_ndcg(grades, mask, 4).item() < 1


def test_common_scales_keep_the_gains_of_the_literature():
    for low, high in ((1.0, 5.0), (0.5, 5.0), (0.0, 10.0)):
        assert metrics.graded(RATINGS, low, high) is RATINGS
