"""Training repeats bit for bit, keeps the best epoch, and stops on what is not a number."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from meta_model.config import Config
from meta_model.evaluation import evaluate
from meta_model.inputs import Inputs
from meta_model.learners import create
from meta_model.tasks import from_episodes
from meta_model.training import _optimizer, global_update, meta_train, validation_mae
from schemas.errors import UserError

CPU = torch.device("cpu")


def test_the_same_seed_gives_the_same_weights(inputs: Inputs, config: Config) -> None:
    first, second = (meta_train(inputs, config, CPU, lambda _: None) for _ in range(2))
    assert first.curve == second.curve
    for name, tensor in first.learner.state_dict().items():
        assert torch.equal(tensor, second.learner.state_dict()[name]), name


def test_another_seed_gives_other_weights(inputs: Inputs, config: Config) -> None:
    first = meta_train(inputs, config, CPU, lambda _: None)
    second = meta_train(inputs, replace(config, seed=1), CPU, lambda _: None)
    assert first.curve != second.curve


def test_the_best_epoch_is_kept_and_patience_ends_training(inputs: Inputs, config: Config) -> None:
    wild = replace(config, epochs=30, patience_epochs=2, global_rate=0.05)
    trained = meta_train(inputs, wild, CPU, lambda _: None)
    maes = [epoch.validation_mae for epoch in trained.curve]
    assert trained.best_epoch == maes.index(min(maes)) + 1
    assert len(trained.curve) == trained.best_epoch + 2 < 30
    _, mae = validation_mae(trained.learner, inputs.split("validation"), CPU)
    assert mae == min(maes)


def test_the_training_loss_falls(inputs: Inputs, config: Config) -> None:
    torch.manual_seed(0)
    eager = replace(config, dropout=0.0, global_rate=1e-2, weight_decay=0.0)
    learner = create(eager, inputs.users, inputs.items, inputs.statistics())
    optimizer = _optimizer(learner, eager)
    tasks = from_episodes(inputs.split("train"))
    losses = [global_update(learner, optimizer, tasks, eager) for _ in range(60)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_loss_that_is_no_number_names_the_users(inputs: Inputs, config: Config) -> None:
    learner = create(config, inputs.users, inputs.items, inputs.statistics())
    tasks = from_episodes(inputs.split("train").slice(0, 2))
    tasks = replace(tasks, query_ratings=torch.full_like(tasks.query_ratings, float("nan")))
    with pytest.raises(UserError, match=r"became nan on the tasks of the users \[1, 2\]"):
        global_update(learner, _optimizer(learner, config), tasks, config)


def test_evaluation_reports_every_scenario_beside_the_baselines(inputs: Inputs, learner) -> None:
    figures = evaluate(learner, "melu", inputs, CPU)
    assert {f.scenario for f in figures} == {"warm", "user_cold", "item_cold", "both_cold"}
    of_warm = {(f.model, f.metric) for f in figures if f.scenario == "warm"}
    rated = {"melu", "global_mean", "item_mean", "damped_bias"}
    expected = {(model, metric) for model in rated for metric in ("mae", "rmse", "ndcg5")}
    assert of_warm == expected | {("popularity", "ndcg5"), ("melu", "adaptation_gain")}
    assert sum(f.n_tasks for f in figures if (f.model, f.metric) == ("melu", "mae")) == 8
