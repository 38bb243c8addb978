"""Model and neighbours' weight are those of validation users' best lists, if that is certain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

import pytest
import torch

from meta_model.choice.training import untrained
from meta_model.config import Config
from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.evaluation import preference
from meta_model.evaluation.lists import judge
from meta_model.evaluation.preference import certain_best, preferred
from meta_model.learners import create
from meta_model.ranking.recommender import Recommender


def _recommender(inputs: Inputs, config: Config, seed: int = 2) -> Recommender:
    torch.manual_seed(seed)  # with 2, the config's own weight is not the best
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


def _means(inputs: Inputs, config: Config, seed: int) -> dict[float, float]:
    """By the weight of neighbours; users of any time are judged without the trend."""
    means = {}
    for weight in (2.0, 1.0, 4.0, 8.0):
        without_trend = {"choice.neighbour_weight": weight, "choice.trend_weight": 0.0}
        means[weight] = _mean(_recommender(inputs, config.having(without_trend), seed), inputs)
    return means


def test_the_weight_with_the_best_lists_is_kept(
    inputs: Inputs, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preference, "_STANDARD_ERRORS", -torch.inf)  # the tiny shop has few users
    means = _means(inputs, config, seed=2)
    best = max(means, key=means.__getitem__)
    assert best != config.choice.neighbour_weight
    judged: list[list[float]] = []

    def recorded(found: Sequence[torch.Tensor]) -> int:
        judged.append([values.mean().item() for values in found])
        return certain_best(found)

    monkeypatch.setattr(preference, "certain_best", recorded)
    for rank_by in ("p_like", "choice", "rating"):  # products can be given another one later
        asked = _recommender(inputs, config.having({"products.rank_by": rank_by}))
        found = preferred([asked], inputs).config
        assert judged.pop() == pytest.approx([*means.values()])
        assert (found.choice.neighbour_weight, found.products.rank_by) == (best, rank_by)
        assert found.choice.trend_weight == config.choice.trend_weight


def test_a_weight_is_judged_by_user_at_each_number_known(inputs: Inputs, config: Config) -> None:
    recommender = _recommender(inputs, config)
    tasks = list(batches(inputs.episodes.split("validation"), 4))
    found = preference._by_user(recommender, inputs, tasks)
    without_trend = recommender.having({"choice.trend_weight": 0.0})
    assert found.mean().item() == pytest.approx(_mean(without_trend, inputs))


@pytest.mark.parametrize(
    "given", [{"choice.weighting": "given"}, {"choice.neighbour_weight": 0.0}], ids=str
)
def test_a_weight_that_is_given_stays(
    inputs: Inputs, config: Config, given: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preference, "_STANDARD_ERRORS", -torch.inf)
    recommender = _recommender(inputs, config.having(given))
    assert preferred([recommender], inputs) is recommender


def test_of_several_models_the_one_with_the_best_lists_is_kept(
    inputs: Inputs, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [_recommender(inputs, config, seed) for seed in (2, 3)]
    highest = [max(_means(inputs, config, seed).values()) for seed in (2, 3)]
    assert highest[0] != pytest.approx(highest[1])
    better = highest.index(max(highest))
    monkeypatch.setattr(preference, "_STANDARD_ERRORS", -torch.inf)
    for order in (models, models[::-1]):
        assert preferred(order, inputs).choice is models[better].choice
    monkeypatch.setattr(preference, "_STANDARD_ERRORS", torch.inf)
    for order in (models, models[::-1]):
        assert preferred(order, inputs) is order[0]


def test_a_lead_that_chance_explains_changes_nothing() -> None:
    first = torch.tensor([0.1, 0.2, 0.3, 0.4])
    assert certain_best([first, first - 0.1, first + torch.tensor([0.1, 0.1, 0.1, 0.09])]) == 2
    assert certain_best([first, first + torch.tensor([0.4, -0.3, 0.1, 0.1])]) == 0
    assert certain_best([first, first - 0.1]) == 0
    assert certain_best([first[:1], first[:1] + 1]) == 0
