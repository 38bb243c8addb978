"""What every model of choices promises, whichever learner it is and whatever it learns."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch

from meta_model.choice import training
from meta_model.choice.content import expected_interactions
from meta_model.choice.learners import LEARNERS
from meta_model.choice.loss import loss_of
from meta_model.choice.model import CHOICE, LIKE, ChoiceModel
from meta_model.choice.posterior import posterior_means
from meta_model.choice.sampling import Sampling
from meta_model.choice.selection import validation_loss
from meta_model.choice.training import Training, train
from meta_model.config import ChoiceLearner, Config
from meta_model.data.features import features
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from schemas.errors import UserError
from tests.meta_model.choice.worlds import double, drawn, two_tastes
from tests.meta_model.evaluation.literal_tasks import literal_tasks

CPU = torch.device("cpu")


@pytest.fixture
def model(inputs: Inputs, learner: ChoiceLearner) -> ChoiceModel:
    return drawn(LEARNERS[learner], inputs)


@pytest.fixture
def tasks(tasks_of: Callable[..., Tasks]) -> Tasks:
    return double(tasks_of("train"))


@pytest.mark.parametrize("learns", [False, True])
def test_probabilities_are_of_all_items_but_the_support(
    model: ChoiceModel, tasks: Tasks, learns: bool
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


def test_a_new_item_is_what_its_attributes_say(inputs: Inputs, model: ChoiceModel) -> None:
    with torch.no_grad():
        model.own_bias.normal_()
        model.liked_bias.normal_()
        model.bias_of_values.table[1:].normal_()
    items, attributes = model.items(), model.item_attributes
    new = (~model.is_trained).nonzero().flatten()[1:]
    values, weights = attributes.values[new], attributes.weights[new]
    features = model.of_items(values, weights).view(len(new), -1, model.own.shape[1])
    torch.testing.assert_close(items.factors[new], features.mean(1))
    counts = inputs.statistics().counts
    promised = (expected_interactions(inputs.items, counts) + 1) / (counts + 1).sum()
    biases = promised[new].log() + model.bias_of_values(values, weights).mean(1)
    for of_question in items.biases:
        torch.testing.assert_close(of_question[new], biases)


def test_training_shows_another_share_of_items_as_new_each_time(inputs: Inputs) -> None:
    torch.manual_seed(1)
    model = LEARNERS["ridge"](inputs, size=6, dropout=0.0, hide_item=0.5).train()
    with torch.no_grad():
        model.own_bias.fill_(5.0)
    biases = torch.stack([model.items().biases for _ in range(20)])[..., model.is_trained]
    shares = (biases < biases.max() - 1).float().mean()
    assert 0.35 < shares < 0.65
    assert not biases[0].equal(biases[1])
    assert model.eval().items().biases.equal(model.items().biases)


def test_the_query_moves_nothing(model: ChoiceModel, tasks: Tasks) -> None:
    query = replace(tasks.query, ratings=tasks.query.ratings + 3, mask=~tasks.query.mask)
    assert model(replace(tasks, query=query)).equal(model(tasks))


def test_an_interaction_counts_half_after_as_many_others_as_the_half_life(
    model: ChoiceModel,
) -> None:
    """The second user's first one is a sampled negative, which counts as padding does."""
    tasks = literal_tasks(
        ([(1, 3.0), (2, 3.0), (3, 3.0), (4, 3.0)], []),
        ([(5, 0.0), (6, 1.0), (7, 1.0)], []),
        ([], []),
    ).chosen("implicit")
    with torch.no_grad():
        model.log_half_life.zero_()  # one interaction
        found = model.recency(tasks).tolist()
        assert found == [[0.125, 0.25, 0.5, 1], [0, 0.5, 1, 0], [0, 0, 0, 0]]
        unordered = model.recency(replace(tasks, is_ordered=False)).tolist()
    assert unordered == [[1, 1, 1, 1], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_on_a_later_day_a_user_begins_anew(model: ChoiceModel) -> None:
    """Known are two interactions of day 4, and of the list's own day 5, which the second lacks."""
    tasks = literal_tasks(
        ([(1, 3.0), (2, 3.0), (3, 3.0)], [(4, 3.0)]), ([(1, 3.0), (2, 3.0)], []),
        days=[([4, 4, 5], [5]), ([4, 4], [])],
    )  # fmt: skip
    with torch.no_grad():
        model.log_half_life.zero_()
        model.logit_earlier.fill_(math.log(0.2 / 0.8))
        found = model.recency(tasks)
        expected = [[0.2 * 0.25, 0.2 * 0.5, 1], [0.2 * 0.5, 0.2, 0]]
        torch.testing.assert_close(found, torch.tensor(expected).to(found))
        moved = model.prior(tasks) - model.unknown(tasks.users)
        torch.testing.assert_close(moved[0], model.later / 2)
        assert not moved[1].any()


def test_the_order_of_a_support_counts_where_it_is_that_of_time(
    model: ChoiceModel, tasks: Tasks
) -> None:
    """Of answers to questions, for example, it does not."""
    lengths = tasks.support.mask.sum(1, keepdim=True)
    places = torch.arange(tasks.support.mask.shape[1])
    turned = torch.where(places < lengths, lengths - 1 - places, places)
    backwards = replace(tasks, support=tasks.support.map(lambda each: each.gather(1, turned)))
    assert not model(backwards).isclose(model(tasks)).all()
    either = [model(replace(each, is_ordered=False)) for each in (backwards, tasks)]
    torch.testing.assert_close(*either)


def test_a_prior_moves_with_the_number_known_alone(model: ChoiceModel) -> None:
    tasks = literal_tasks(([(1, 3.0), (2, 5.0), (3, 1.0)], []), ([(4, 3.0)], []), ([], []))
    with torch.no_grad():
        model.later.normal_()
        moved = model.prior(tasks) - model.unknown(tasks.users)
        torch.testing.assert_close(moved, torch.tensor([[0.75], [0.5], [0.0]]) * model.later)
        unordered = model.prior(replace(tasks, is_ordered=False))
        expected = model.unknown(tasks.users) + model.later / 2
    assert unordered.equal(expected)


def test_padding_and_the_rest_of_the_batch_change_nothing(model: ChoiceModel, tasks: Tasks) -> None:
    row = int(tasks.support.mask.sum(1).argmin())
    width = int(tasks.support.mask[row].sum())
    assert width < tasks.support.mask.shape[1]
    alone = tasks[torch.tensor([row])]
    narrow = replace(alone, support=alone.support.map(lambda tensor: tensor[:, :width]))
    torch.testing.assert_close(model(narrow)[:, 0], model(tasks)[:, row])
    reversed_ = tasks[torch.arange(len(tasks)).flip(0)]
    torch.testing.assert_close(model(reversed_).flip(1), model(tasks))


def test_somebody_unknown_starts_at_popularity(
    inputs: Inputs, tasks: Tasks, learner: ChoiceLearner
) -> None:
    model = LEARNERS[learner](inputs, size=6, dropout=0.0).double().eval()
    with torch.no_grad():
        model.of_users.table.zero_()
    nothing = replace(tasks, support=tasks.support.map(torch.zeros_like))
    counts = inputs.statistics().counts.double()
    trained = model.is_trained
    expected = (counts + 1).log()[trained]
    for found in model(nothing)[:, 0]:
        differences = found[trained] - expected
        torch.testing.assert_close(differences, differences.mean().expand_as(differences))


def test_hidden_factors_are_of_training_alone(model: ChoiceModel, tasks: Tasks) -> None:
    assert model(tasks).equal(model(tasks))
    learning = copy.deepcopy(model).train()
    assert not learning(tasks).equal(learning(tasks))


def test_users_and_items_without_features_are_what_they_chose(
    inputs: Inputs, tasks: Tasks, learner: ChoiceLearner
) -> None:
    bare = {
        name: features(profiles, f"{name}_index", {})
        for name, profiles in (("user", inputs.user_profiles), ("item", inputs.item_profiles))
    }
    of_ids = replace(inputs, users=bare["user"], items=bare["item"])
    model = LEARNERS[learner](of_ids, 6, 0.0).double().eval()
    torch.testing.assert_close(model(tasks).exp().sum(2), torch.ones(2, len(tasks)).double())


def test_an_empty_support_gives_the_priors_list(
    model: ChoiceModel, tasks: Tasks, learner: ChoiceLearner
) -> None:
    """Beside others with a support; of ridge, the prior that w0 has drawn towards not chosen."""
    mask = tasks.support.mask.clone()
    mask[::2] = False
    some = replace(tasks, support=tasks.support.only(mask))
    items = model.items()
    users = model.prior(some).expand(len((CHOICE, LIKE)), -1, -1)
    if learner == "ridge":
        users = posterior_means(model, replace(some, support=some.support.hidden()), items)
    prior = model.log_probabilities(model.of_both(users, items), some, items)
    found = model(some)
    assert found[:, ::2].equal(prior[:, ::2])
    assert not found[:, 1::2].isclose(prior[:, 1::2]).all(2).any()


@pytest.mark.usefixtures("long")
def test_it_learns_which_of_two_tastes_a_support_shows(
    inputs: Inputs, learner: ChoiceLearner, tmp_path: Path
) -> None:
    """The loss of users that training has not seen is less than that of popularity."""
    world = two_tastes(inputs, tmp_path)
    found = train(world, Training(learner=learner, size=8, epochs=12, batch_tasks=16, rate=0.03))
    torch.manual_seed(1)
    popularity = LEARNERS["ridge"](world, 8, 0.0).eval()
    with torch.no_grad():
        popularity.own.zero_()
        for table in (popularity.of_items, popularity.of_users):
            table.table.zero_()
    losses = [validation_loss(model, world, 4, CPU) for model in (found, popularity)]
    assert losses[0] < losses[1] - 0.2


def test_the_config_names_the_learners() -> None:
    assert sorted(get_args(ChoiceLearner)) == sorted(LEARNERS)
    with pytest.raises(UserError, match="learner is 'lasso', expected one of ridge, aggregating"):
        Config().having({"choice.learner": "lasso"})
    config = Config().having_set(["choice.learner=melu"])
    assert Training.of(config, "light").learner == "melu"
    assert Training.of(Config(), "light").learner == Training().learner == "ridge"


OF_POSTERIOR = {"log_unchosen", "log_ridge", "of_rating"}
FITTED = {
    "ridge": set(),
    "aggregating": OF_POSTERIOR,
    "matching": OF_POSTERIOR - {"of_rating"},
    "melu": OF_POSTERIOR - {"of_rating"},
}


def test_the_posterior_is_fitted_to_factors_that_were_learnt_without_it(
    inputs: Inputs, learner: ChoiceLearner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By those parameters alone that the local update does not use; then choices are likelier."""
    fit, states, losses = training._fit_posterior, [], []

    def spied(
        model: ChoiceModel, inputs: Inputs, drawn: Iterable[Tasks], sampling: Sampling
    ) -> None:
        batches = list(drawn)
        for fits in (False, True):
            if fits:
                fit(model, inputs, batches * 5, sampling)
            states.append(copy.deepcopy(model.state_dict()))
            with torch.no_grad():
                losses.append(sum(_loss_by_posterior(model, each).item() for each in batches))

    monkeypatch.setattr(training, "_fit_posterior", spied)
    train(inputs, Training(learner=learner, size=8, epochs=1, batch_tasks=12))
    changed = {name for name, value in states[0].items() if not value.equal(states[1][name])}
    assert changed == FITTED[learner]
    assert losses[1] < losses[0] or learner == "ridge"


def _loss_by_posterior(model: ChoiceModel, tasks: Tasks) -> torch.Tensor:
    items = model.items()
    users = posterior_means(model, tasks, items)
    found = model.log_probabilities(model.of_both(users, items), tasks, items)
    return loss_of(lambda _tasks: found, tasks, liked_from=4.0)
