"""What attributes say, on a literal catalogue, beside a plain loop."""

from __future__ import annotations

import math

import pytest
import torch

from meta_model.choice.content import (
    attribute_shares,
    expected_interactions,
    popularity_by_content,
)
from meta_model.data.features import Features
from meta_model.evaluation.peers import ContentKnn
from tests.meta_model.evaluation.literal_tasks import literal_tasks

# Two features, of two and three values, and 0 for what the vocabulary lacks; -1 is padding.
ITEMS = Features(
    names=("year", "genres"),
    sizes=(3, 4),
    values=torch.tensor(
        [
            [[-1, -1], [-1, -1]],
            [[1, -1], [1, 2]],
            [[1, -1], [1, -1]],
            [[2, -1], [2, 3]],
            [[2, -1], [0, -1]],
        ]
    ),
)
#                 year 1, 2, genre 1, 2, 3
SHARES = [[0.0] * 5, [1, 0, 0.5, 0.5, 0], [1, 0, 1, 0, 0], [0, 1, 0, 0.5, 0.5], [0, 1, 0, 0, 0]]


def test_an_items_values_share_their_feature() -> None:
    assert attribute_shares(ITEMS).to_dense()[:, 1:].tolist() == SHARES


def test_content_knn_sums_the_cosines_with_what_was_chosen() -> None:
    tasks = literal_tasks(([(1, 5.0), (4, 1.0)], [(2, 4.0)]), ([(3, 3.0)], [(1, 4.0)]))
    scores = ContentKnn(ITEMS).scores(tasks)

    def cosine(one: int, other: int) -> float:
        a, b = SHARES[one], SHARES[other]
        product = math.sqrt(sum(x * x for x in a) * sum(x * x for x in b))
        return sum(x * y for x, y in zip(a, b, strict=True)) / product

    for row, chosen in enumerate([(1, 4), (3,)]):
        for item in range(1, 5):
            expected = sum(cosine(item, each) for each in chosen)
            assert scores[row, item].item() == pytest.approx(expected, abs=1e-6)
    assert scores[:, 0].tolist() == [0, 0]


def test_a_new_item_is_as_popular_as_items_with_its_values() -> None:
    counts = torch.tensor([0.0, 10, 4, 6, 0])  # item 4 is new
    scores = popularity_by_content(ITEMS, counts).tolist()
    year = {1: 7.0, 2: 6.0}  # mean counts of the trained items with the value
    genre = {1: (10 * 0.5 + 4) / 1.5, 2: (10 * 0.5 + 6 * 0.5) / 1.0, 3: 6.0}
    assert scores[1] == pytest.approx(year[1] + (genre[1] + genre[2]) / 2)
    assert scores[3] == pytest.approx(year[2] + (genre[2] + genre[3]) / 2)
    assert scores[4] == pytest.approx(year[2]), "what the vocabulary lacks says nothing"
    assert scores[0] == 0


def test_attributes_promise_the_mean_of_items_with_them_drawn_to_that_of_all() -> None:
    counts = torch.tensor([0.0, 10, 4, 6, 0])  # item 4 is new
    found = expected_interactions(ITEMS, counts).tolist()
    mean = 20 / 3
    year = {1: (10 + 4 + 5 * mean) / (2 + 5), 2: (6 + 5 * mean) / (1 + 5)}
    genre = {1: (10 * 0.5 + 4 + 5 * mean) / (1.5 + 5), 2: (5 + 3 + 5 * mean) / (1 + 5)}
    assert found[1] == pytest.approx((year[1] + (genre[1] + genre[2]) / 2) / 2)
    assert found[4] == pytest.approx((year[2] + mean) / 2), "what the vocabulary lacks"
    assert found[0] == pytest.approx(mean), "no attribute at all"
    nothing = Features(names=(), sizes=(), values=torch.zeros(5, 0, 1, dtype=torch.int64))
    assert expected_interactions(nothing, counts).tolist() == pytest.approx([mean] * 5)
    assert expected_interactions(ITEMS, counts * 0).tolist() == [0] * 5
