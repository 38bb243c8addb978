"""The simulation is what a loop over users would be, and compares lists on the same ratings."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from meta_model.choice.training import untrained
from meta_model.config import Config
from meta_model.data.batching import from_episodes
from meta_model.data.inputs import Inputs
from meta_model.data.interaction_set import Asked, InteractionSet
from meta_model.data.segments import ALL
from meta_model.evidence.elicitation import ElicitationResult, elicit, merged_by_user
from meta_model.evidence.item_scores import item_scores
from meta_model.evidence.lists import LISTS, order
from meta_model.learners import LEARNERS, create
from tests.meta_model.of_factors import OfFactors

CPU = torch.device("cpu")


def _ranker(inputs: Inputs, config: Config) -> OfFactors:
    """Of an order that finds some of what users like, and puts items that are asked about first."""
    torch.manual_seed(4)
    model = untrained(config, inputs)
    with torch.no_grad():
        model.own_bias.copy_(torch.randn(len(model.own_bias)))
        model.own_bias[1:16] += 5
        model.own.mul_(8)  # so that answers change the order
    return OfFactors(model)


def _of_one_user(row: dict, items: list[int]) -> dict[int, float]:
    """The user's true ratings of the items."""
    rated = zip(
        row["support_items"] + row["query_items"],
        row["support_ratings"] + row["query_ratings"],
        strict=True,
    )
    return {item: rating for item, rating in rated if item in items}


@pytest.mark.parametrize("min_adapt", [1, 3])
@pytest.mark.parametrize("model", sorted(LEARNERS))
def test_it_equals_a_loop_over_users(
    inputs: Inputs, config: Config, rows, model: str, min_adapt: int
) -> None:
    torch.manual_seed(3)
    learner = create(replace(config, model=model), inputs).eval()
    n_items = len(inputs.item_profiles)
    lists = {"many": torch.arange(1, 16), "few": torch.tensor([n_items - 2])}
    scenario = rows("test").to_pylist()[0]["scenario"]
    of_any = [int(item) for items in lists.values() for item in items]
    ranker, statistics = _ranker(inputs, config), inputs.statistics()
    may_be_listed = (statistics.counts > 0) & ~torch.isin(
        torch.arange(n_items + 1), torch.tensor(of_any)
    )
    rates = torch.rand(n_items + 1)
    found = elicit(
        learner, ranker, inputs, lists, CPU,
        min_adapt=min_adapt, answer_rates=rates, scenario=scenario,
    )  # fmt: skip
    expected: dict[str, list[tuple[float, ...]]] = {name: [] for name in lists}
    for place, row in enumerate(rows("test").to_pylist()):
        everything = _of_one_user(row, list(range(1, n_items + 1)))
        rest = {item: rating for item, rating in everything.items() if item not in of_any}
        liked = {item for item, rating in rest.items() if rating >= 4 and may_be_listed[item]}
        if row["scenario"] != scenario or len(rest) < 5 or not liked:
            continue
        [tasks] = [from_episodes(rows("test").slice(place, 1))]
        where = {int(item): at for at, item in enumerate(tasks.items)}
        query = _side(rest, where)
        for name, items in lists.items():
            revealed = _of_one_user(row, items.tolist())
            side = _side(revealed, where)
            about = Asked(items=items[None], rates=rates[items][None])
            asked = replace(tasks, support=side, query=query, is_ordered=False, asked=about)
            catalogue = learner.embed(asked.items)
            is_known = len(revealed) >= min_adapt
            state = learner.adapt(asked, catalogue) if is_known else learner.unadapted(asked)
            forecast = learner.predict(state, catalogue, learner.statistics.query(asked))
            errors = (learner.median(state, forecast).clamp(1, 5) - query.ratings).abs()
            squared = (learner.expected(state, forecast).clamp(1, 5) - query.ratings).square()
            scores = ranker.scores(asked)[0].masked_fill(~may_be_listed, -torch.inf)
            ranked = sorted(range(n_items + 1), key=lambda i, of=scores: (-of[i].item(), i))
            gains = [item in liked for item in ranked[:10]]
            gained = sum(1 / math.log2(rank + 2) for rank, hit in enumerate(gains) if hit)
            ideal = sum(1 / math.log2(rank + 2) for rank in range(min(10, len(liked))))
            rmse = squared.mean().sqrt().item()
            of_user = (len(revealed), errors.mean().item(), gained / ideal, rmse)
            expected[name].append(of_user)
    for name, of_list in expected.items():
        assert of_list
        of_list_found = found[name]
        columns = ("n_revealed", "mae", "ndcg10_after", "rmse")
        got = zip(*(getattr(of_list_found, name).tolist() for name in columns), strict=True)
        np.testing.assert_allclose(sorted(got), sorted(of_list), atol=1e-5)
    assert max(of_user[2] for of_list in expected.values() for of_user in of_list) > 0
    revealed = {of_user[0] for of_list in expected.values() for of_user in of_list}
    assert 0 in revealed
    assert max(revealed) > 1


def _side(ratings: dict[int, float], where: dict[int, int]) -> InteractionSet:
    places = torch.tensor([[where[item] for item in ratings]], dtype=torch.long)
    values = torch.tensor([list(ratings.values())], dtype=torch.float32)
    return InteractionSet(
        rows=places.reshape(1, -1),
        ratings=values.reshape(1, -1),
        days=torch.zeros_like(places).reshape(1, -1),
        mask=places.reshape(1, -1) >= 0,
    )


def test_all_lists_are_measured_on_the_same_rest(inputs: Inputs, config: Config) -> None:
    learner = create(config, inputs).eval()
    scenario = "warm"
    a, b = torch.arange(1, 4), torch.arange(4, 8)
    ranker = _ranker(inputs, config)
    ask = partial(
        elicit, learner, ranker, inputs,
        device=CPU, min_adapt=1, answer_rates=torch.zeros(10_000), scenario=scenario,
    )  # fmt: skip
    one, other = ask({"a": a, "b": b}), ask({"b": b, "a": a})
    assert one["a"].mae.equal(other["a"].mae)
    assert len(one["a"].mae) == len(one["b"].mae)
    everything = {"a": torch.arange(1, len(inputs.item_profiles) + 1)}
    assert ask(everything) == {}


def test_lists_are_the_items_of_the_highest_scores(inputs: Inputs, config: Config, rows) -> None:
    values = item_scores(create(config, inputs), inputs, CPU)[ALL]
    counts: dict[int, Counter] = {}
    for row in rows("train", "validation").to_pylist():
        for item, rating in _of_one_user(row, list(range(10_000))).items():
            counts.setdefault(item, Counter())[rating] += 1
    assert values.items.tolist() == sorted(counts)
    entropy = [
        -sum(n / of.total() * math.log(n / of.total()) for n in of.values())
        for _, of in sorted(counts.items())
    ]
    assert values.entropy.tolist() == pytest.approx(entropy)
    for name, score in LISTS.items():
        best = order(score(values))
        assert score(values)[best].tolist() == sorted(score(values).tolist(), reverse=True), name
    assert (values.of_score > 0).all()


def test_a_user_of_several_trials_counts_once_with_their_mean() -> None:
    def trial(users: list[int], mae: list[float]) -> ElicitationResult:
        values = torch.tensor(mae, dtype=torch.float64)
        return ElicitationResult(
            users=torch.tensor(users),
            n_revealed=values + 1,
            mae=values,
            rmse=values + 1,
            ndcg5=-values,
            ndcg10_after=values / 2,
            recall20_after=values / 4,
        )

    found = merged_by_user([trial([7, 3], [0.5, 1.0]), trial([3, 4], [2.0, 0.25])])
    assert found.users.tolist() == [3, 4, 7]
    assert found.mae.tolist() == [1.5, 0.25, 0.5]
    assert found.n_revealed.tolist() == [2.5, 1.25, 1.5]
    assert found.rmse.tolist() == [2.5, 1.25, 1.5]
    assert found.ndcg5.tolist() == [-1.5, -0.25, -0.5]
    assert found.ndcg10_after.tolist() == [0.75, 0.125, 0.25]
    assert found.recall20_after.tolist() == [0.375, 0.0625, 0.125]
