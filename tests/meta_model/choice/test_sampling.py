"""A sample of the catalogue in the softmax of training says what the whole catalogue says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from meta_model.choice.learners import LEARNERS
from meta_model.choice.loss import loss_of
from meta_model.choice.model import ChoiceModel, Items
from meta_model.choice.sampling import Sampling
from meta_model.choice.training import Training, train
from meta_model.config import ChoiceLearner, Config
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from tests.meta_model.choice.worlds import double, drawn

N_CATALOGUE, N_SAMPLE = 60, 20


@pytest.fixture
def model(inputs: Inputs, learner: ChoiceLearner) -> ChoiceModel:
    made = drawn(LEARNERS[learner], inputs)
    with torch.no_grad():
        made.everyone.mul_(0.3)
        made.liked_bias.normal_()
    return made


@pytest.fixture
def items(inputs: Inputs) -> Items:
    return drawn(LEARNERS["ridge"], inputs).items()


@pytest.fixture
def tasks(tasks_of: Callable[..., Tasks]) -> Tasks:
    """Three tasks, which show or ask for less than half of the catalogue; each hides an item."""
    found = double(tasks_of("train")[torch.tensor([0, 3, 9])])
    shown = found.support.mask.clone()
    shown[:, 0] = False  # as training does with what is not shown
    return replace(found, support=replace(found.support, mask=shown))


@pytest.fixture
def sampling(inputs: Inputs) -> Sampling:
    return Sampling.of(inputs.statistics().counts, N_SAMPLE)


def _own(tasks: Tasks) -> Tensor:
    """The items that the batch shows or asks for, padding among them."""
    sides = (tasks.support, tasks.query)
    found = torch.cat([(tasks.items[side.rows] * side.mask).flatten() for side in sides]).unique()
    assert 10 < len(found) < N_CATALOGUE / 2
    return found


def _sampled(
    sampling: Sampling, items: Items, tasks: Tasks, seed: int = 1
) -> tuple[Items, Tasks, Tensor]:
    """A draw, and the index in the catalogue of each of its items."""
    numbers = torch.arange(N_CATALOGUE + 1).double().unsqueeze(1)
    torch.manual_seed(seed)
    numbered, _ = sampling.drawn(replace(items, factors=numbers), tasks)
    torch.manual_seed(seed)
    return *sampling.drawn(items, tasks), numbered.factors.squeeze(1).long()


def test_a_catalogue_within_the_limit_is_taken_as_it_is(
    inputs: Inputs, items: Items, tasks: Tasks
) -> None:
    """To the bit: nothing is copied, and nothing drawn at random."""
    counts, state = inputs.statistics().counts, torch.get_rng_state()
    same, named = Sampling.of(counts, N_CATALOGUE).drawn(items, tasks)
    assert same is items
    assert named is tasks
    assert torch.get_rng_state().equal(state)
    assert Sampling.of(counts, N_CATALOGUE - 1).chances is not None


def test_an_items_chance_is_half_by_popularity_and_half_alike() -> None:
    counts = torch.tensor([0, 0, 1, 3, 16])
    found = Sampling.of(counts, 2).chances
    assert found is not None
    expected = [1, 0.25, 0.25 + 1 / 20, 0.25 + 3 / 20, 1]  # 0.25 + 16 / 20 is more than certain
    torch.testing.assert_close(found, torch.tensor(expected))


def test_the_batchs_own_items_are_there_once_and_others_by_their_chance(
    items: Items, tasks: Tasks, sampling: Sampling
) -> None:
    """So no item is drawn as a rival of itself, and a sample has numbers of its own."""
    own, seen, n_draws = _own(tasks), torch.zeros(N_CATALOGUE + 1), 200
    for seed in range(n_draws):
        sample, named, indices = _sampled(sampling, items, tasks, seed)
        assert indices.diff().gt(0).all(), "each once, in order"
        seen[indices] += 1
        for before, after in ((tasks.support, named.support), (tasks.query, named.query)):
            there = before.mask
            assert tasks.items[before.rows][there].equal(indices[named.items[after.rows]][there])
        of_own = torch.isin(indices, own)
        assert of_own.sum() == len(own)
        corrections = items.biases[:, indices] - sample.biases
        assert corrections[:, of_own].eq(0).all()
        expected = sampling.chances[indices].log().double()
        torch.testing.assert_close(corrections[0, ~of_own], expected[~of_own])
        assert sample.is_trained.equal(items.is_trained[indices])
    others = torch.ones(N_CATALOGUE + 1, dtype=torch.bool)
    others[own] = False
    chances = sampling.chances[others]
    errors = (seen[others] / n_draws - chances) / (chances * (1 - chances) / n_draws).sqrt()
    assert errors.abs().max() < 4
    assert 0.7 < errors.std() < 1.3


# Not melu, whose steps are on the softmax.
@pytest.mark.parametrize("learner", sorted({*LEARNERS} - {"melu"}))
def test_the_local_update_knows_the_whole_support_and_catalogue(
    model: ChoiceModel, tasks: Tasks, sampling: Sampling
) -> None:
    """Logits of a sample are those of the catalogue, but for the correction; w0 E^T E is whole."""
    items = model.items()
    sample, named, indices = _sampled(sampling, items, tasks)
    corrected = items.biases[:, indices] - sample.biases
    found = model.adapted(named, sample) + corrected.unsqueeze(1)
    torch.testing.assert_close(found, model.adapted(tasks, items)[:, :, indices])


@pytest.mark.parametrize("learns", [False, True])
def test_a_support_and_what_training_cannot_choose_are_left_out(
    model: ChoiceModel, tasks: Tasks, sampling: Sampling, learns: bool
) -> None:
    model.train(learns)
    sample, named, indices = _sampled(sampling, model.items(), tasks)
    found = model(named, sample)
    whole = model(tasks)[:, :, indices]
    assert found.isneginf().equal(whole.isneginf())
    torch.testing.assert_close(found.exp().sum(2), torch.ones(2, len(tasks)).double())


def _loss(model: ChoiceModel, items: Items, tasks: Tasks) -> Tensor:
    return loss_of(partial(model, items=items), tasks, 4.0)


@pytest.mark.parametrize("corrects", [True, False])
def test_the_mean_of_many_draws_is_the_whole_softmax(
    model: ChoiceModel, tasks: Tasks, sampling: Sampling, corrects: bool
) -> None:
    """Of the loss and its gradient; without the correction both are far off."""
    items, n_draws = model.items(), 100
    learnt = (model.own, model.own_bias, model.everyone)
    expected = _loss(model, items, tasks)
    found = torch.zeros(()).double()
    for seed in range(n_draws):
        sample, named, indices = _sampled(sampling, items, tasks, seed)
        if not corrects:
            sample = replace(sample, biases=items.biases[:, indices])
        found = found + _loss(model, sample, named) / n_draws
    slopes, mean = (
        torch.cat([part.flatten() for part in torch.autograd.grad(loss, learnt, retain_graph=True)])
        for loss in (expected, found)
    )
    error = ((mean - slopes).norm() / slopes.norm()).item()
    if corrects:
        assert found.item() == pytest.approx(expected.item(), abs=0.1)
        assert error < 0.12
    else:
        assert found < expected - 0.3
        assert error > 0.15


def test_of_certain_items_it_is_the_whole_softmax(model: ChoiceModel, tasks: Tasks) -> None:
    items = model.items()
    sample, named = Sampling(chances=torch.ones(N_CATALOGUE + 1)).drawn(items, tasks)
    torch.testing.assert_close(_loss(model, sample, named), _loss(model, items, tasks))


class _Shapes(TorchDispatchMode):
    """The shapes of all tensors that are computed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[int, ...]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        self.seen |= {tuple(each.shape) for each in tree_leaves(found) if torch.is_tensor(each)}
        return found


@pytest.mark.parametrize("n_items", [N_SAMPLE, N_CATALOGUE])
def test_no_step_of_training_holds_the_catalogue_for_each_task(
    inputs: Inputs, learner: ChoiceLearner, n_items: int
) -> None:
    with _Shapes() as shapes:
        train(
            inputs,
            Training(learner=learner, size=5, epochs=1, batch_tasks=7, softmax_items=n_items),
        )
    of_both = {shape for shape in shapes.seen if {7, N_CATALOGUE + 1} <= {*shape}}
    assert bool(of_both) == (n_items == N_CATALOGUE), of_both


def test_the_config_says_how_many_items_the_softmax_has() -> None:
    config = Config().having_set(["choice.softmax_items=800"])
    assert Training.of(config, "light").softmax_items == 800
    assert Training.of(Config(), "light").softmax_items == Training().softmax_items == 50_000


def test_the_gradient_of_a_sample_is_the_derivative_of_its_loss(
    model: ChoiceModel, tasks: Tasks, sampling: Sampling
) -> None:
    named = {
        name: value
        for name, value in model.named_parameters()
        if not name.endswith(".table")  # its row 0, padding, gets no gradient
    }

    def loss(*values: Tensor) -> Tensor:
        torch.manual_seed(1)
        changed = dict(zip(named, values, strict=True))
        with torch.nn.utils.stateless._reparametrize_module(model, changed):
            return _loss(model, *sampling.drawn(model.items(), tasks))

    values = [value.detach().requires_grad_() for value in named.values()]
    assert torch.autograd.gradcheck(loss, values, fast_mode=True)
