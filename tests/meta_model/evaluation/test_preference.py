"""The neighbours' weight is the one of the best lists for validation users, if that is certain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from statistics import fmean

import pytest
import torch

from meta_model.choice.training import untrained
from meta_model.config import Config
from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.evaluation import weighting
from meta_model.evaluation.lists import judge
from meta_model.evaluation.weighting import preferred, weighted
from meta_model.learners import create
from meta_model.ranking.recommender import Recommender


def _recommender(inputs: Inputs, config: Config) -> Recommender:
    torch.manual_seed(2)  # of which the config's own weight is not the best
    learner, choice = create(config, inputs), untrained(config, inputs)
    return Recommender.of(learner, choice, config, inputs, torch.device("cpu"))


def _mean(recommender: Recommender, inputs: Inputs) -> float:
    """nDCG@10 of the ten interactions after 1, 3 and 10 known: by user, then over users."""
    of_users: dict[int, list[float]] = defaultdict(list)
    trained = inputs.statistics().counts > 0
    n_next = recommender.config.training.query_size
    for tasks in batches(inputs.episodes.split("validation"), 4):
        for known in (1, 3, 10):
            found = judge(
                recommender, [tasks], trained, known, inputs.liked_from, inputs.feedback, n_next
            )
            pairs = zip(found.users.tolist(), found.metrics["ndcg10"].tolist(), strict=True)
            for user, value in pairs:
                of_users[user].append(value)
    return fmean(map(fmean, of_users.values()))


def test_the_weight_with_the_best_lists_is_kept(
    inputs: Inputs, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weighting, "_STANDARD_ERRORS", -torch.inf)  # the tiny shop has few users
    means = {}
    for weight in (2.0, 1.0, 4.0, 8.0):
        # Users of any time are judged without the trend.
        without_trend = {"choice.neighbour_weight": weight, "choice.trend_weight": 0.0}
        means[weight] = _mean(_recommender(inputs, config.having(without_trend)), inputs)
    best = max(means, key=means.__getitem__)
    assert best != config.choice.neighbour_weight
    judged: list[dict[float, float]] = []

    def recorded(found: Mapping[float, torch.Tensor]) -> float:
        judged.append({weight: values.mean().item() for weight, values in found.items()})
        return preferred(found)

    monkeypatch.setattr(weighting, "preferred", recorded)
    for rank_by in ("p_like", "choice", "rating"):  # products can be given another one later
        asked = _recommender(inputs, config.having({"products.rank_by": rank_by}))
        found = weighted(asked, inputs).config
        assert judged.pop() == pytest.approx(means)
        assert (found.choice.neighbour_weight, found.products.rank_by) == (best, rank_by)
        assert found.choice.trend_weight == config.choice.trend_weight


def test_a_weight_is_judged_by_user_at_each_number_known(inputs: Inputs, config: Config) -> None:
    recommender = _recommender(inputs, config)
    tasks = list(batches(inputs.episodes.split("validation"), 4))
    found = weighting._by_user(recommender, inputs, tasks)
    assert found.mean().item() == pytest.approx(_mean(recommender, inputs))


@pytest.mark.parametrize(
    "given", [{"choice.weighting": "given"}, {"choice.neighbour_weight": 0.0}], ids=str
)
def test_a_weight_that_is_given_stays(
    inputs: Inputs, config: Config, given: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weighting, "_STANDARD_ERRORS", -torch.inf)
    recommender = _recommender(inputs, config.having(given))
    assert weighted(recommender, inputs) is recommender


def test_a_lead_that_chance_explains_changes_nothing() -> None:
    first = torch.tensor([0.1, 0.2, 0.3, 0.4])
    assert preferred({2.0: first, 4.0: first + torch.tensor([0.1, 0.1, 0.1, 0.09])}) == 4.0
    assert preferred({2.0: first, 4.0: first + torch.tensor([0.4, -0.3, 0.1, 0.1])}) == 2.0
    assert preferred({2.0: first, 1.0: first - 0.1}) == 2.0
    assert preferred({2.0: first[:1], 4.0: first[:1] + 1}) == 2.0
