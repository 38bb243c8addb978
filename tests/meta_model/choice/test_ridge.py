"""Ridge beside its equations, solved task by task."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from meta_model.choice.learners.ridge import Ridge
from meta_model.choice.model import CHOICE, LIKE
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from tests.meta_model.choice.worlds import HALF_LIFE, double, drawn


@pytest.fixture
def model(inputs: Inputs) -> Ridge:
    return drawn(Ridge, inputs)


@pytest.fixture
def tasks(tasks_of: Callable[..., Tasks]) -> Tasks:
    return double(tasks_of("train"))


def _solved(
    model: Ridge, factors: Tensor, prior: Tensor, items: Tensor, ratings: Tensor, question: int
) -> Tensor:
    """The equations of one task and question, by a general solver."""
    E, n = factors[items], len(items)
    counts = [0.5 ** ((n - 1 - place) / HALF_LIFE) for place in range(n)]
    D = torch.diag(torch.tensor(counts, dtype=torch.float64))
    y = 1 + model.of_rating[question] * (ratings - model.mean_rating)
    weighted = E.T @ D @ E + model.log_unchosen.exp() * factors.T @ factors
    A = weighted + model.log_ridge.exp() * torch.eye(len(prior))
    return prior + torch.linalg.solve(A, E.T @ D @ y - weighted @ prior)


def test_the_batched_update_solves_each_tasks_equations(model: Ridge, tasks: Tasks) -> None:
    items, priors = model.items(), model.prior(tasks)
    found = model.adapt(tasks, items)
    assert len(tasks) > 10
    for row, prior in enumerate(priors):
        mask = tasks.support.mask[row]
        chosen, ratings = tasks.items[tasks.support.rows[row][mask]], tasks.support.ratings[row]
        for question in (CHOICE, LIKE):
            expected = _solved(model, items.factors, prior, chosen, ratings[mask], question)
            torch.testing.assert_close(found[question, row], expected, rtol=1e-8, atol=1e-10)


def test_what_is_liked_is_another_question_than_what_is_chosen(model: Ridge, tasks: Tasks) -> None:
    """Of the same factors: a rating moves each by its own weight; an item has a bias of each."""
    with torch.no_grad():
        model.of_rating.fill_(0.1)
    choice, like = model(tasks)
    torch.testing.assert_close(choice, like)
    with torch.no_grad():
        model.of_rating[LIKE] += 1
        model.liked_bias.normal_()
    choice, like = model(tasks)
    assert not choice.equal(like)
    with torch.no_grad():
        model.of_rating[CHOICE] += 1
        model.own_bias += model.liked_bias
        model.liked_bias.zero_()
    torch.testing.assert_close(model(tasks)[CHOICE], like)
