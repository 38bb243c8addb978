"""The local update of each learner beside its formula, one user and one item at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from meta_model.choice.learners import LEARNERS, matching
from meta_model.choice.learners.aggregating import Aggregating
from meta_model.choice.learners.matching import Matching
from meta_model.choice.learners.melu import MeLU
from meta_model.choice.loss import loss_of
from meta_model.choice.model import CHOICE, LIKE, ChoiceModel, Items
from meta_model.config import ChoiceLearner
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from tests.meta_model.choice.worlds import HALF_LIFE, double, drawn

QUESTIONS = (CHOICE, LIKE)
# Of each interaction the item, by index, its rating, and how much it counts: half as much for every
# three that follow.
Support = list[tuple[int, float, float]]


@pytest.fixture
def tasks(tasks_of: Callable[..., Tasks]) -> Tasks:
    return double(tasks_of("train")[torch.arange(12)])


def _made(inputs: Inputs, name: ChoiceLearner) -> ChoiceModel:
    model = drawn(LEARNERS[name], inputs)
    with torch.no_grad():
        model.liked_bias.normal_()
        model.later.normal_()
        model.own.mul_(5)  # so that supports move users far
    return model


def _supports(tasks: Tasks) -> list[Support]:
    assert len(tasks) > 10
    places = zip(tasks.support.rows, tasks.support.ratings, tasks.support.mask, strict=True)
    supports = []
    for rows, ratings, mask in places:
        items, n = tasks.items[rows[mask]].tolist(), int(mask.sum())
        counts = [0.5 ** ((n - 1 - place) / HALF_LIFE) for place in range(n)]
        supports.append(list(zip(items, ratings[mask].tolist(), counts, strict=True)))
    return supports


def _check(
    model: ChoiceModel, tasks: Tasks, of_one: Callable[[Tensor, Support, int], Tensor]
) -> None:
    """The model's logits are those of each task and question by itself, given its prior."""
    with torch.no_grad():
        found, priors = model.adapted(tasks, model.items()), model.prior(tasks)
        for row, support in enumerate(_supports(tasks)):
            for question in QUESTIONS:
                expected = of_one(priors[row], support, question)
                torch.testing.assert_close(found[question, row], expected, rtol=1e-8, atol=1e-10)


def _logits(model: ChoiceModel, items: Items, user: Tensor, question: int) -> Tensor:
    scale = model.log_scale[question].exp()
    return torch.stack(
        [scale * (e @ user) + b for e, b in zip(items.factors, items.biases[question], strict=True)]
    )


def test_aggregating_is_a_network_of_two_sums(inputs: Inputs, tasks: Tasks) -> None:
    model = _made(inputs, "aggregating")
    assert isinstance(model, Aggregating)
    items = model.items()

    def of_one(prior: Tensor, support: Support, question: int) -> Tensor:
        m, d = torch.zeros(6).double(), torch.zeros(6).double()
        total = sum(counts for _, _, counts in support)
        for item, rating, counts in support:
            m += counts * items.factors[item] / total**0.5
            d += counts * (rating - model.mean_rating) * items.factors[item] / total**0.5
        hidden = (model.hidden.weight @ torch.cat([m, d])).tanh()
        weight = model.out.weight[6 * question : 6 * question + 6]
        return _logits(model, items, prior + weight @ hidden, question)

    _check(model, tasks, of_one)


@pytest.mark.parametrize("cells", [matching._CELLS, 1])
def test_matching_is_the_attention_of_an_item_on_the_support(
    inputs: Inputs, tasks: Tasks, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "_CELLS", cells)
    model = _made(inputs, "matching")
    assert isinstance(model, Matching)
    items = model.items()
    encoded = items.factors @ model.kernel.weight.T
    cosines = torch.nn.functional.cosine_similarity(encoded[None], encoded[:, None], dim=2)
    kernel = ((cosines - 1) / model.log_temperature.exp()).exp()

    def of_one(prior: Tensor, support: Support, question: int) -> Tensor:
        logits = _logits(model, items, prior, question)
        for item in range(len(logits)):
            total, answer = model.log_nothing.exp(), torch.zeros(()).double()
            for shown, rating, counts in support:
                y = 1 + model.of_rating[question] * (rating - model.mean_rating)
                near = counts * kernel[item, shown]
                total, answer = total + near, answer + near * y
            logits[item] += model.log_gain[question].exp() * answer / total
        return logits

    _check(model, tasks, of_one)


def test_melu_follows_the_gradient_of_the_supports_likelihood(inputs: Inputs, tasks: Tasks) -> None:
    """By autograd, of the loss that its equation names."""
    model = _made(inputs, "melu")
    assert isinstance(model, MeLU)
    with torch.no_grad():
        model.log_rates.normal_()
    items = Items(**{name: value.detach() for name, value in vars(model.items()).items()})
    trained = model.is_trained.nonzero().flatten().tolist()

    def local_loss(user: Tensor, support: Support, question: int) -> Tensor:
        logits = _logits(model, items, user, question)
        log_sum, loss = logits[trained].logsumexp(0), torch.zeros(()).double()
        for item, rating, counts in support:
            y = 1 + model.of_rating[question] * (rating - model.mean_rating)
            loss = loss - counts * y * (logits[item] - log_sum)
        total = sum(counts for _, _, counts in support)
        return loss / (total + model.log_damping.exp())

    @torch.enable_grad()
    def of_one(prior: Tensor, support: Support, question: int) -> Tensor:
        user = prior
        for rate in model.log_rates[:, question].exp():
            user = user.detach().requires_grad_()
            [gradient] = torch.autograd.grad(local_loss(user, support, question), user)
            user = user - rate * gradient
        return _logits(model, items, user, question).detach()

    _check(model, tasks, of_one)


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_the_gradient_goes_through_the_local_update(
    inputs: Inputs, tasks: Tasks, name: ChoiceLearner
) -> None:
    """Second order: of the query's loss after the local update, for all that the learner learns."""
    model, few = _made(inputs, name), tasks[torch.arange(3)]
    parameters = dict(model.named_parameters())
    used = loss_of(model, few, 4.0)
    gradients = torch.autograd.grad(used, list(parameters.values()), allow_unused=True)
    names = [key for key, grad in zip(parameters, gradients, strict=True) if grad is not None]
    assert {"own", "everyone", "log_scale", "log_half_life", "later"} < set(names)
    unused = {"log_unchosen", "log_ridge"} if name != "ridge" else set()
    unused |= {"of_rating"} if name == "aggregating" else set()
    assert set(parameters) - set(names) == unused

    # Row 0 of a table, padding, gets no gradient though it would have one.
    names = [key for key in names if not key.endswith(".table")]

    def loss(*values: Tensor) -> Tensor:
        changed = {**parameters, **dict(zip(names, values, strict=True))}
        return loss_of(lambda t: torch.func.functional_call(model, changed, (t,)), few, 4.0)

    values = [parameters[key].detach().requires_grad_() for key in names]
    assert torch.autograd.gradcheck(loss, values, fast_mode=True)
