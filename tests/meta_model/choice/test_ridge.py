"""Ridge beside its equations, solved task by task, and what it promises whatever it learns."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from meta_model.choice.ridge import CHOICE, LIKE, Ridge
from meta_model.choice.training import loss_of
from meta_model.data.features import features
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks


@pytest.fixture
def model(inputs: Inputs) -> Ridge:
    torch.manual_seed(5)
    made = Ridge(inputs, size=6, dropout=0.5).double().eval()
    with torch.no_grad():
        made.everyone.normal_()
    return made


@pytest.fixture
def tasks(tasks_of: Callable[..., Tasks]) -> Tasks:
    made = tasks_of("train")
    sides = (replace(side, ratings=side.ratings.double()) for side in (made.support, made.query))
    support, query = sides
    return replace(made, support=support, query=query)


def _solved(
    model: Ridge, factors: Tensor, prior: Tensor, items: Tensor, ratings: Tensor, question: int
) -> Tensor:
    """The equations of one task and question, by a general solver."""
    E = factors[items]
    y = 1 + model.of_rating[question] * (ratings - model.mean_rating)
    weighted = E.T @ E + model.log_unchosen.exp() * factors.T @ factors
    A = weighted + model.log_ridge.exp() * torch.eye(len(prior))
    return prior + torch.linalg.solve(A, E.T @ y - weighted @ prior)


def test_the_batched_update_solves_each_tasks_equations(model: Ridge, tasks: Tasks) -> None:
    factors, priors = model.items().factors, model.prior(tasks.users)
    found = model.adapt(tasks, factors)
    assert len(tasks) > 10
    for row, prior in enumerate(priors):
        mask = tasks.support.mask[row]
        items, ratings = tasks.items[tasks.support.rows[row][mask]], tasks.support.ratings[row]
        for question in (CHOICE, LIKE):
            expected = _solved(model, factors, prior, items, ratings[mask], question)
            torch.testing.assert_close(found[question, row], expected, rtol=1e-8, atol=1e-10)


def test_the_gradient_goes_through_the_solution(model: Ridge, tasks: Tasks) -> None:
    few = tasks[torch.arange(3)]
    names = ("own", "everyone", "log_unchosen", "log_ridge", "of_rating")
    parameters = dict(model.named_parameters())

    def loss(*values: Tensor) -> Tensor:
        changed = {**parameters, **dict(zip(names, values, strict=True))}
        return loss_of(lambda t: torch.func.functional_call(model, changed, (t,)), few, 4.0)

    values = [parameters[name].detach().requires_grad_() for name in names]
    assert torch.autograd.gradcheck(loss, values, fast_mode=True)


@pytest.mark.parametrize("learns", [False, True])
def test_probabilities_are_of_all_items_but_the_support(
    model: Ridge, tasks: Tasks, learns: bool
) -> None:
    log_probabilities = model.train(learns)(tasks)
    assert len(log_probabilities) == len((CHOICE, LIKE))
    for of_question in log_probabilities:
        torch.testing.assert_close(of_question.exp().sum(1), torch.ones(len(tasks)).double())
        of_support = of_question.gather(1, tasks.items[tasks.support.rows])
        assert of_support[tasks.support.mask].isneginf().all()
        assert of_question[:, 0].isneginf().all(), "padding"
        of_new = of_question[:, 1:][:, ~model.is_trained[1:]]
        assert of_new.numel() > 0
        assert of_new.isneginf().all() == learns, "training cannot choose a new item"


def test_a_new_item_is_what_its_attributes_say(model: Ridge) -> None:
    with torch.no_grad():
        model.own_bias.normal_()
        model.liked_bias.normal_()
        model.bias_of_values.table[1:].normal_()
    items, attributes = model.items(), model.item_attributes
    new = (~model.is_trained).nonzero().flatten()[1:]
    values, weights = attributes.values[new], attributes.weights[new]
    features = model.of_items(values, weights).view(len(new), -1, model.own.shape[1])
    torch.testing.assert_close(items.factors[new], features.mean(1))
    biases = model.usual_bias + model.bias_of_values(values, weights).mean(1)
    for of_question in items.biases:
        torch.testing.assert_close(of_question[new], biases)


def test_training_shows_another_share_of_items_as_new_each_time(inputs: Inputs) -> None:
    torch.manual_seed(1)
    model = Ridge(inputs, size=6, dropout=0.0, hide_item=0.5).train()
    with torch.no_grad():
        model.own_bias.fill_(5.0)
    biases = torch.stack([model.items().biases for _ in range(20)])[..., model.is_trained]
    shares = (biases < biases.max() - 1).float().mean()
    assert 0.35 < shares < 0.65
    assert not biases[0].equal(biases[1])
    assert model.eval().items().biases.equal(model.items().biases)


def test_the_query_moves_nothing(model: Ridge, tasks: Tasks) -> None:
    query = replace(tasks.query, ratings=tasks.query.ratings + 3, mask=~tasks.query.mask)
    assert model(replace(tasks, query=query)).equal(model(tasks))


def test_padding_changes_nothing(model: Ridge, tasks: Tasks) -> None:
    row = int(tasks.support.mask.sum(1).argmin())
    width = int(tasks.support.mask[row].sum())
    assert width < tasks.support.mask.shape[1]
    alone = tasks[torch.tensor([row])]
    narrow = replace(alone, support=alone.support.map(lambda tensor: tensor[:, :width]))
    torch.testing.assert_close(model(narrow)[:, 0], model(tasks)[:, row])


def test_somebody_unknown_starts_at_popularity(inputs: Inputs, tasks: Tasks) -> None:
    model = Ridge(inputs, size=6, dropout=0.0).double().eval()
    with torch.no_grad():
        model.of_users.table.zero_()
    nothing = replace(tasks, support=tasks.support.map(torch.zeros_like))
    counts = inputs.statistics().counts.double()
    trained = model.is_trained
    expected = (counts + 1).log()[trained]
    for found in model(nothing)[:, 0]:
        differences = found[trained] - expected
        torch.testing.assert_close(differences, differences.mean().expand_as(differences))


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


def test_hidden_factors_are_of_training_alone(model: Ridge, tasks: Tasks) -> None:
    assert model(tasks).equal(model(tasks))
    learning = copy.deepcopy(model).train()
    assert not learning(tasks).equal(learning(tasks))


def test_users_and_items_without_features_are_what_they_chose(inputs: Inputs, tasks: Tasks) -> None:
    bare = {
        name: features(profiles, f"{name}_index", {})
        for name, profiles in (("user", inputs.user_profiles), ("item", inputs.item_profiles))
    }
    model = Ridge(replace(inputs, users=bare["user"], items=bare["item"]), 6, 0.0).double().eval()
    torch.testing.assert_close(model(tasks).exp().sum(2), torch.ones(2, len(tasks)).double())
