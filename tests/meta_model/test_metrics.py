"""Metrics by hand-computed numbers."""

from __future__ import annotations

from itertools import permutations
from math import log2

import pytest
import torch

from meta_model import metrics

RATINGS = torch.tensor([[5.0, 3.0, 1.0, 0.0]])
PREDICTED = torch.tensor([[2.0, 4.0, 3.0, 9.0]])
MASK = torch.tensor([[True, True, True, False]])


def test_mae_and_rmse_leave_padding_out() -> None:
    assert metrics.mae(PREDICTED, RATINGS, MASK).item() == pytest.approx((3 + 1 + 2) / 3)
    assert metrics.rmse(PREDICTED, RATINGS, MASK).item() == pytest.approx((14 / 3) ** 0.5)


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
