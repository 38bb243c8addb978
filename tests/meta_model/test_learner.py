"""Promises every learner keeps: padding and order say nothing, query ratings stay unseen."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from meta_model.config import Config
from meta_model.inputs import Inputs
from meta_model.learners import LEARNERS, Learner, create
from meta_model.tasks import Tasks, from_episodes
from schemas.errors import UserError


def _predict(learner: Learner, tasks: Tasks) -> Tensor:
    biases = learner.statistics.biases(tasks)
    return learner.predict(learner.adapt(tasks, biases), tasks.query_items, biases.query)


@pytest.fixture(params=sorted(LEARNERS))
def any_learner(request: pytest.FixtureRequest, inputs: Inputs, config: Config) -> Learner:
    torch.manual_seed(3)
    named = replace(config, model=request.param)
    return create(named, inputs.users, inputs.items, inputs.statistics()).eval()


@pytest.fixture
def tasks(inputs: Inputs) -> Tasks:
    return from_episodes(inputs.split("train"))


def test_adaptation_changes_predictions(any_learner: Learner, tasks: Tasks) -> None:
    biases = any_learner.statistics.biases(tasks)
    before = any_learner.predict(any_learner.unadapted(tasks), tasks.query_items, biases.query)
    assert (_predict(any_learner, tasks) - before).abs().max() > 1e-3


def test_padding_changes_nothing(any_learner: Learner, tasks: Tasks) -> None:
    def padded(name: str) -> Tensor:
        values = getattr(tasks, name)
        return torch.cat([values, torch.zeros_like(values[:, :1]).expand(-1, 5)], dim=1)

    names = ("items", "ratings", "mask")
    wider = replace(
        tasks,
        **{f"{side}_{n}": padded(f"{side}_{n}") for side in ("support", "query") for n in names},
    )
    n_query = tasks.query_items.shape[1]
    torch.testing.assert_close(
        _predict(any_learner, wider)[:, :n_query], _predict(any_learner, tasks), rtol=0, atol=1e-5
    )


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**31))
def test_order_changes_nothing(inputs: Inputs, seed: int) -> None:
    torch.manual_seed(3)
    learner = create(Config(embedding_size=4), inputs.users, inputs.items, inputs.statistics())
    learner.eval()
    tasks = from_episodes(inputs.split("train"))
    expected = _predict(learner, tasks)
    generator = torch.Generator().manual_seed(seed)
    of_tasks = torch.randperm(len(tasks), generator=generator)
    of_support = torch.randperm(tasks.support_items.shape[1], generator=generator)
    mixed = tasks[of_tasks]
    mixed = replace(
        mixed,
        **{f"support_{n}": getattr(mixed, f"support_{n}")[:, of_support]
           for n in ("items", "ratings", "mask")},
    )  # fmt: skip
    torch.testing.assert_close(_predict(learner, mixed), expected[of_tasks], rtol=0, atol=1e-5)


def test_query_ratings_never_move_test_predictions(any_learner: Learner, inputs: Inputs) -> None:
    tasks = from_episodes(inputs.split("test"))
    changed = replace(tasks, query_ratings=6 - tasks.query_ratings)
    assert torch.equal(_predict(any_learner, changed), _predict(any_learner, tasks))


def test_a_train_tasks_own_rating_is_left_out_of_its_item_bias(
    any_learner: Learner, inputs: Inputs
) -> None:
    """Adding a rating to the statistics and to the task at once must not change the bias."""
    tasks = from_episodes(inputs.split("train"))[:1]
    statistics = any_learner.statistics
    item, rating = tasks.query_items[0, 0], tasks.query_ratings[0, 0]
    statistics.counts[item] += 1
    statistics.sums[item] += rating
    mean = statistics.mean
    counts, sums = statistics.counts[item] - 1, statistics.sums[item] - rating
    expected = (sums - mean * counts) / (counts + 5)
    torch.testing.assert_close(statistics.biases(tasks).query[0, 0], expected)


def test_an_unknown_model_lists_the_known_ones(inputs: Inputs) -> None:
    with pytest.raises(UserError, match=r"'meluu'; the known ones are \['melu'"):
        create(Config(model="meluu"), inputs.users, inputs.items, inputs.statistics())
