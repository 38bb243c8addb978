"""Promises every learner keeps: padding and order say nothing, query ratings stay unseen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from benchmarks.inputs.float64 import double
from meta_model.config import Config, NetworkConfig
from meta_model.data.batching import batches, from_episodes
from meta_model.data.features import features
from meta_model.data.inputs import Inputs
from meta_model.data.interaction_set import InteractionSet
from meta_model.data.metapaths import Metapaths
from meta_model.data.tasks import Tasks
from meta_model.evaluation.scenarios import evaluate
from meta_model.learners import LEARNERS, Learner, configured, create
from meta_model.training.global_update import Progress, global_update, optimizer_of, task_losses
from tests.meta_model.drawn import draw_all
from tests.suite.examples import examples


def _predict(learner: Learner, tasks: Tasks) -> Tensor:
    catalogue = learner.embed(tasks.items)
    state = learner.adapt(tasks, catalogue)
    return learner.predict(state, catalogue, learner.statistics.query(tasks))


def _expected(learner: Learner, tasks: Tasks) -> Tensor:
    """As a rating: what follows from a user's thresholds too."""
    catalogue = learner.embed(tasks.items)
    state = learner.adapt(tasks, catalogue)
    forecasts = learner.predict(state, catalogue, learner.statistics.query(tasks))
    return learner.expected(state, forecasts)


def _padded(side: InteractionSet, columns: int) -> InteractionSet:
    return side.map(lambda x: torch.cat([x, torch.zeros_like(x[:, :1]).expand(-1, columns)], dim=1))


@pytest.fixture(params=[(name, kind) for name in sorted(LEARNERS) for kind in ("ours", "paper")])
def any_learner(
    request: pytest.FixtureRequest, inputs: Inputs, config: Config, paper: Config
) -> Learner:
    name, kind = request.param
    torch.manual_seed(3)
    return create(replace(config if kind == "ours" else paper, model=name), inputs).eval()


@pytest.fixture
def tasks(tasks_of) -> Tasks:
    return tasks_of("train")


def test_adaptation_changes_predictions(any_learner: Learner, tasks: Tasks) -> None:
    catalogue, query = any_learner.embed(tasks.items), any_learner.statistics.query(tasks)
    before = any_learner.predict(any_learner.unadapted(tasks), catalogue, query)
    assert (_predict(any_learner, tasks) - before).abs().max() > 1e-3


@pytest.mark.parametrize("model", sorted(LEARNERS))
@settings(max_examples=examples(fast=3, default=6, nightly=30))
@given(support=st.integers(0, 9), query=st.integers(0, 9), seed=st.integers(0, 2**31))
def test_padding_and_order_change_nothing(
    inputs: Inputs, tasks_of, model: str, support: int, query: int, seed: int
) -> None:
    torch.manual_seed(3)
    learner = create(Config(model=model, network=NetworkConfig(embedding_size=4)), inputs).eval()
    draw_all(learner.double())
    tasks = double(tasks_of("train", "test"))
    n_query = tasks.query.rows.shape[1]
    expected = _expected(learner, tasks)
    generator = _generator(seed)
    of_tasks = torch.randperm(len(tasks), generator=generator)
    wider = replace(
        tasks, support=_padded(tasks.support, support), query=_padded(tasks.query, query)
    )
    of_support = torch.randperm(wider.support.rows.shape[1], generator=generator)
    mixed = wider[of_tasks]
    mixed = replace(mixed, support=mixed.support.map(lambda x: x[:, of_support]))
    torch.testing.assert_close(
        _expected(learner, mixed)[:, :n_query], expected[of_tasks], rtol=0, atol=1e-9
    )


UNDRAWN = {
    "network.dropout": 0.0,
    "network.cold_item_dropout": 0.0,
    "network.cold_task_dropout": 0.0,
}
SWITCHES = [
    *({"model": name} for name in sorted(LEARNERS)),
    {"model": "maml", "local_update.rates": "parameter"},
    {"model": "maml", "local_update.gradient": "first_order"},
    {"model": "aggregating", "aggregating.aggregate": "mean", "aggregating.similarity": "cosine"},
    {"model": "metahin", "metahin.contexts": False},
    {"network.baseline": False},
    {"network.content_prior": False},
    {"network.item_statistics": False, "network.user_statistics": False},
    {"network.item_identity": False},
    {"network.likelihood": "squared"},
    {"local_update.steps": 1, "local_update.rates": "fixed"},
    {"local_update.gradient": "first_order"},
    {"local_update.support_damping": 3.0},
]


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_a_batchs_gradient_is_the_sum_of_its_tasks(
    inputs: Inputs, config: Config, rows, switches: dict[str, Any]
) -> None:
    """Ragged tasks in one padded batch against each task alone, in float64, to 1e-8."""
    model = switches.get("model", config.model)
    options = {key: value for key, value in switches.items() if key != "model"}
    undrawn = configured(model, like=config).having(UNDRAWN | options)
    torch.manual_seed(3)
    learner = create(undrawn, inputs).double()
    parameters = [p for p in learner.parameters() if p.requires_grad]
    some = rows("train").slice(0, 6)

    def gradients(table: pa.Table) -> list[Tensor]:
        losses, _ = task_losses(learner, double(from_episodes(table)))
        found = torch.autograd.grad(losses.sum(), parameters, allow_unused=True)
        pairs = zip(found, parameters, strict=True)
        return [torch.zeros_like(p) if gradient is None else gradient for gradient, p in pairs]

    together = gradients(some)
    alone = [gradients(some.slice(number, 1)) for number in range(len(some))]
    assert max(gradient.abs().max().item() for gradient in together) > 1e-3
    for number, gradient in enumerate(together):
        expected = torch.stack([of_task[number] for of_task in alone]).sum(0)
        torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-8)


def test_an_empty_support_predicts_as_without_adaptation(
    any_learner: Learner, tasks: Tasks
) -> None:
    nothing = tasks.support.map(torch.zeros_like)
    catalogue, query = any_learner.embed(tasks.items), any_learner.statistics.query(tasks)
    before = any_learner.predict(any_learner.unadapted(tasks), catalogue, query)
    adapted = _predict(any_learner, replace(tasks, support=nothing))
    torch.testing.assert_close(adapted, before, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["ours", "paper"])
@pytest.mark.parametrize("model", sorted(LEARNERS))
@settings(max_examples=examples(fast=2, default=4, nightly=20))
@given(seed=st.integers(0, 2**31))
def test_query_ratings_never_move_predictions(
    inputs: Inputs, tasks_of, model: str, kind: str, seed: int
) -> None:
    config = Config(model=model, network=NetworkConfig(embedding_size=4, hidden_sizes=(6, 5)))
    torch.manual_seed(3)
    learner = create(config if kind == "ours" else config.paper(), inputs).eval()
    draw_all(learner)
    tasks = tasks_of("validation", "test")
    drawn = torch.randint(1, 6, tasks.query.ratings.shape, generator=_generator(seed)).float()
    changed = replace(tasks, query=replace(tasks.query, ratings=drawn))
    assert torch.equal(_expected(learner, changed), _expected(learner, tasks))


def test_a_held_out_query_never_moves_predictions(any_learner: Learner, tasks_of) -> None:
    """Serving has none: which items are in it may say no more than their ratings do."""
    draw_all(any_learner)
    tasks = tasks_of("validation", "test")
    hidden = replace(tasks, query=tasks.query.hidden())
    catalogue, query = any_learner.embed(tasks.items), any_learner.statistics.query(tasks)
    state = any_learner.adapt(hidden, catalogue)
    found = any_learner.expected(state, any_learner.predict(state, catalogue, query))
    assert torch.equal(found, _expected(any_learner, tasks))


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_train_tasks_own_rating_is_left_out_of_its_items_statistics(
    any_learner: Learner, tasks: Tasks
) -> None:
    """A rating added to the statistics and to the task at once changes nothing at its place."""
    statistics = any_learner.statistics
    [place] = torch.nonzero(tasks.query.mask[0])[:1, 0].tolist()
    item = tasks.items[tasks.query.rows[0, place]]
    rating = tasks.query.ratings[0, place]
    expected_counts = statistics.counts[item].clone()
    expected = statistics.sums[item] - statistics.mean * expected_counts
    statistics.counts[item] += 1
    statistics.sums[item] += rating
    query = statistics.query(tasks[:1])
    assert query.counts[0, place] == expected_counts
    torch.testing.assert_close(query.deviation[0, place], expected)


@pytest.mark.usefixtures("long")
@pytest.mark.parametrize("model", sorted(LEARNERS))
def test_every_learner_learns_choices(
    implicit: Inputs, config: Config, tasks_of_implicit: Tasks, model: str
) -> None:
    """With two levels the same code is a model of choices, trained and judged as one."""
    eager = configured(model, like=config).having(UNDRAWN | {"training.weight_decay": 0.0})
    torch.manual_seed(3)
    learner = create(eager.having({"training.global_rate": 1e-2}), implicit)
    optimizer = optimizer_of(learner, eager, torch.device("cpu"))
    losses = [
        global_update(learner, optimizer, [(0, tasks_of_implicit)], eager, _at(step))[0].item()
        for step in range(20)
    ]
    assert losses[-1] < 0.97 * losses[0]
    figures = evaluate(learner, model, implicit, torch.device("cpu"))
    aucs = [f.value for f in figures if (f.model, f.metric) == (model, "auc")]
    assert len(aucs) == 4
    assert all(0 <= auc <= 1 for auc in aucs)


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")  # MAMO's layer of profiles
@pytest.mark.parametrize("model", sorted(LEARNERS))
def test_nobody_needs_attributes_or_a_network(
    inputs: Inputs, config: Config, tasks: Tasks, model: str
) -> None:
    """Of users a shop may know nothing but what they did, and of its items too."""
    bare = replace(
        inputs,
        users=features(inputs.user_profiles, "user_index", {}),
        items=features(inputs.item_profiles, "item_index", {}),
        metapaths=Metapaths(names=(), over_users=(), neighbours=inputs.metapaths.neighbours[:0]),
    )
    torch.manual_seed(3)
    learner = create(replace(config, model=model), bare)
    optimizer = optimizer_of(learner, config, torch.device("cpu"))
    loss, _ = global_update(learner, optimizer, [(0, tasks)], config, _at(1))
    predicted = _predict(learner.eval(), tasks)
    norms = learner.per_example_gradient_norms(tasks, learner.embed(tasks.items)).of_loss
    assert all(x.isfinite().all() for x in (loss, predicted, norms))


def _at(step: int) -> Progress:
    return Progress(epoch=1, step=step, share=step / 20)


@pytest.fixture
def tasks_of_implicit(implicit: Inputs) -> Tasks:
    [tasks] = batches(implicit.episodes.split("train"), 24)
    return tasks
