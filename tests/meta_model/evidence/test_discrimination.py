"""Item discrimination, against a loop over pairs and on made-up lenient and harsh users."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
import torch

from meta_model.data.inputs import Inputs
from meta_model.data.interaction_set import InteractionSet
from meta_model.data.item_statistics import ITEM_DAMPING, USER_DAMPING, ItemStatistics
from meta_model.data.segments import ALL
from meta_model.data.tasks import Tasks
from meta_model.evidence.discrimination import discrimination, products
from meta_model.evidence.item_scores import item_scores, unit_scaled
from meta_model.evidence.lists import LISTS, listed
from meta_model.learners import Learner, create

CPU = torch.device("cpu")


def test_it_equals_a_loop_over_pairs(learner: Learner, inputs: Inputs, rows) -> None:
    counts = inputs.item_profiles["train_n_ratings"].to_numpy()
    sums = inputs.item_profiles["train_rating_sum"].to_numpy()
    mean = sums.sum() / counts.sum()
    found: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for row in rows("train", "validation").to_pylist():
        rated = [
            pair
            for side in ("support", "query")
            for pair in zip(row[f"{side}_items"], row[f"{side}_ratings"], strict=True)
        ]
        residuals = []
        for item, rating in rated:
            n, total = counts[item - 1], sums[item - 1]
            if row["split"] == "train" and n > 0:  # its own rating is in the statistics
                n, total = n - 1, total - rating
            residuals.append(rating - mean - (total - mean * n) / (n + ITEM_DAMPING))
        for place, (item, _) in enumerate(rated):
            others = residuals[:place] + residuals[place + 1 :]
            found[item].append((residuals[place], sum(others) / (len(others) + USER_DAMPING)))
    pairs = [pair for of_item in found.values() for pair in of_item]
    average = np.mean([[e * u, e * e, u * u] for e, u in pairs], axis=0)
    values = item_scores(learner, inputs, CPU)[ALL]
    widest = (max(inputs.rating_levels) - min(inputs.rating_levels)) / 2
    for place, item in enumerate(values.items.tolist()):
        own = np.sum([[e * u, e * e, u * u] for e, u in found[item]], axis=0)
        both, of_residual, of_rest = own + 1000 * average
        spread = math.sqrt((own[1] + 20 * average[1]) / (len(found[item]) + 20))
        expected = max(0, both) ** 2 / (of_residual * of_rest) * min(1, spread / widest)
        assert values.discriminative[place].item() == pytest.approx(expected, abs=1e-5)
    assert 0 < values.discriminative.max() < 1


def test_items_rated_by_leniency_discriminate_more_than_contested_ones() -> None:
    """The ratings of 20 of 40 items follow the leniency of the user, the others are random."""
    draws = np.random.default_rng(1)
    leniency = draws.choice([-1.0, 1.0], (3000, 1))
    ratings = np.where(np.arange(40) < 20, 3 + leniency, draws.choice([2.0, 4.0], (3000, 40)))
    places = torch.arange(1, 41).expand(3000, 40)
    side = InteractionSet(
        rows=places,
        ratings=torch.from_numpy(ratings).float(),
        days=torch.zeros_like(places),
        mask=torch.ones(3000, 40, dtype=torch.bool),
    )
    tasks = Tasks(
        users=torch.arange(1, 3001),
        items=torch.arange(41),
        support=side,
        query=side,
        in_statistics=torch.zeros(3000, dtype=torch.bool),
        day=torch.zeros(3000),
        earlier_that_day=torch.zeros(3000),
    )
    counts = torch.tensor([0.0, *([3000.0] * 40)])
    statistics = ItemStatistics(counts, counts * 3, "explicit")
    sums = products(tasks, statistics).double().sum(0)
    n = torch.full((40,), 3000.0, dtype=torch.float64)
    values = discrimination(sums, n, widest=2.0) * 2  # all are rated a star from the mean
    assert values[:20].min() > 0.6
    assert values[20:].max() < 0.2
    assert (discrimination(sums * 100, n, widest=2.0) <= 1).all()


def test_a_tenth_of_the_spread_is_a_tenth_of_the_discrimination() -> None:
    """Of two items of equal correlation."""
    narrow, wide = [0.1, 0.01, 1.0], [1.0, 1.0, 1.0]
    n = torch.full((2,), 1e6, dtype=torch.float64)
    sums = torch.tensor([narrow, wide], dtype=torch.float64) * n[:, None]
    less, more = discrimination(sums, n, widest=2.0).tolist()
    assert more == pytest.approx(0.5, rel=0.05)
    assert less == pytest.approx(0.05, rel=0.05)


def test_the_list_by_correlation_is_ordered_by_it(learner: Learner, inputs: Inputs) -> None:
    values = item_scores(learner, inputs, CPU)[ALL]
    product = values.discriminative * unit_scaled(values.n_interactions)
    best = torch.argsort(product, descending=True, stable=True)[:5]
    assert listed("evidence_correlation", values, 5).tolist() == values.items[best].tolist()


def test_choices_have_no_rating_to_correlate(implicit: Inputs, config) -> None:
    """The paper's value stands in."""
    values = item_scores(create(replace(config, seed=3), implicit), implicit, CPU)[ALL]
    assert values.discriminative.equal(unit_scaled(values.of_loss))
    assert LISTS["evidence_correlation"](values).equal(LISTS["evidence_paper"](values))


def test_equal_ratings_do_not_discriminate() -> None:
    """And nothing is divided by zero: e and l are 0 everywhere."""
    assert discrimination(torch.zeros(3, 3), torch.tensor([4.0, 1, 0]), widest=2.0).eq(0).all()
