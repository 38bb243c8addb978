"""Peers by their definitions, on data of six users and four items."""

from __future__ import annotations

import pytest
import torch

from meta_model.choice import interactions
from meta_model.choice.interactions import Interactions
from meta_model.evaluation import peers
from schemas.tables.products import LIST_PEERS
from tests.meta_model.evaluation.literal_tasks import literal_tasks

CHOSEN = torch.tensor(  # users x items; item 4 is nobody's
    [[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0]]
)
USERS, COLUMNS = CHOSEN.nonzero().T
INTERACTIONS = Interactions(users=USERS, items=COLUMNS + 1, n_items=4)


def test_every_peer_that_adapts_is_one_that_tables_and_reports_know() -> None:
    assert set(peers.ADAPTED) <= set(LIST_PEERS)


def test_pairs_of_items_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interactions, "_COLUMNS", 2)
    expected = torch.zeros(5, 5)
    expected[1:, 1:] = (CHOSEN.T @ CHOSEN).float()
    assert INTERACTIONS.together().equal(expected)
    assert INTERACTIONS.counts.tolist() == [0, 4, 3, 3, 0]


def test_neighbours_are_by_cosine() -> None:
    weights = peers.item_knn(INTERACTIONS).weights
    assert weights[1, 2].item() == pytest.approx(2 / (4 * 3) ** 0.5)
    assert weights.equal(weights.T)
    assert weights.diagonal().eq(0).all()
    assert weights[4].eq(0).all()


def test_ease_is_the_best_linear_model_without_the_item_itself() -> None:
    """Each column is the ridge regression of an item on the others (Steck 2019, equation 4)."""
    weights = peers.ease(INTERACTIONS, regularization=0.5).weights.double()
    X = CHOSEN.double()
    for item in range(4):
        others = [other for other in range(4) if other != item]
        of_others = X[:, others]
        gram = of_others.T @ of_others + 0.5 * torch.eye(3, dtype=torch.float64)
        expected = torch.linalg.solve(gram, of_others.T @ X[:, item])
        found = weights[[other + 1 for other in others], item + 1]
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    assert weights.diagonal().eq(0).all()


def test_scores_are_the_sum_over_the_known_items_alone() -> None:
    """Neither padding nor the query adds to them."""
    tasks = literal_tasks(([(2, 5.0), (1, 1.0)], [(3, 4.0)]), ([(3, 2.0)], [(1, 4.0)]))
    weights = torch.arange(25.0).view(5, 5)
    expected = torch.stack([weights[1] + weights[2], weights[3]])
    assert peers.ItemToItem(weights).scores(tasks).equal(expected)


def test_a_blend_is_of_shares_of_the_largest() -> None:
    tasks = literal_tasks(([(2, 5.0), (1, 1.0)], [(3, 4.0)]))
    weights = torch.arange(25.0).view(5, 5)
    alone = peers.ItemToItem(weights)
    counts = torch.tensor([0.0, 4.0, 2.0, 1.0, 0.0])
    expected = alone.scores(tasks) / alone.scores(tasks).max() + 0.5 * counts / 4
    torch.testing.assert_close(peers.Blended(alone, counts, 0.5).scores(tasks), expected)
