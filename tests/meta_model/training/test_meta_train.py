"""Training repeats bit for bit, keeps the best epoch, and goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import make_dataclass, replace
from pathlib import Path

import pytest
import torch

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.evaluation.scenarios import evaluate
from meta_model.learners import Learner, create
from meta_model.training import checkpoint
from meta_model.training import meta_train as meta_train_module
from meta_model.training.checkpoint import Checkpoints
from meta_model.training.meta_train import Trained, TrainingCallbacks, meta_train, validate
from meta_model.training.processes import Processes
from schemas.errors import UserError
from schemas.run.artefact import Epoch

CPU = torch.device("cpu")


class KilledError(Exception):
    """Stands for a kill between two epochs' checkpoints."""


def _same_weights(first: Trained, second: Trained) -> bool:
    other = second.learner.state_dict()
    return all(torch.equal(t, other[name]) for name, t in first.learner.state_dict().items())


def test_the_same_seed_gives_the_same_weights(inputs: Inputs, config: Config) -> None:
    first, second = (meta_train(inputs, config, CPU) for _ in range(2))
    assert first.curve == second.curve
    assert _same_weights(first, second)


def test_another_seed_gives_other_weights(inputs: Inputs, config: Config) -> None:
    first = meta_train(inputs, config, CPU)
    second = meta_train(inputs, replace(config, seed=1), CPU)
    assert first.curve != second.curve


def test_the_best_epoch_is_kept_and_patience_ends_training(inputs: Inputs, config: Config) -> None:
    wild = config.having(
        {"training.epochs": 30, "training.patience_epochs": 2, "training.global_rate": 0.05}
    )
    trained = meta_train(inputs, wild, CPU)
    losses = [epoch.validation_loss for epoch in trained.curve]
    assert trained.best_epoch == losses.index(min(losses)) + 1
    assert len(trained.curve) == trained.best_epoch + 2 < 30
    assert validate(trained.learner, inputs, CPU)["validation_loss"] == min(losses)


def _killed_in(epoch: int) -> TrainingCallbacks:
    def on_step(number: int, _seen: int) -> None:
        if number == epoch:
            raise KilledError

    return TrainingCallbacks(on_step=on_step)


def test_a_killed_run_goes_on_to_the_same_weights(
    inputs: Inputs, config: Config, tmp_path: Path
) -> None:
    longer = config.having({"training.epochs": 4})
    undisturbed = meta_train(inputs, longer, CPU)
    checkpoints = Checkpoints(folder=tmp_path / "run", identity="same")
    with pytest.raises(KilledError):
        meta_train(inputs, longer, CPU, _killed_in(3), checkpoints)
    assert len((tmp_path / "run" / "curve.jsonl").read_text().splitlines()) == 2
    torch.rand(100)  # whatever else was drawn meanwhile
    epochs: list[Epoch] = []
    callbacks = TrainingCallbacks(on_epoch=lambda epoch, _: epochs.append(epoch))
    resumed = meta_train(inputs, longer, CPU, callbacks, checkpoints)
    assert [epoch.epoch for epoch in epochs] == [3, 4]
    assert resumed.curve == undisturbed.curve
    assert _same_weights(resumed, undisturbed)


def test_another_runs_checkpoint_is_left_aside(
    inputs: Inputs, config: Config, tmp_path: Path
) -> None:
    first = Checkpoints(folder=tmp_path, identity="one")
    with pytest.raises(KilledError):
        meta_train(inputs, config, CPU, _killed_in(2), first)
    epochs: list[Epoch] = []
    callbacks = TrainingCallbacks(on_epoch=lambda epoch, _: epochs.append(epoch))
    meta_train(inputs, config, CPU, callbacks, Checkpoints(folder=tmp_path, identity="other"))
    assert [epoch.epoch for epoch in epochs] == [1, 2]


def _another_weight(patch: pytest.MonkeyPatch) -> None:
    def created(config: Config, inputs: Inputs) -> Learner:
        made = create(config, inputs)
        made.register_parameter("added", torch.nn.Parameter(torch.zeros(2)))
        return made

    patch.setattr(meta_train_module, "create", created)


def _another_grouping(patch: pytest.MonkeyPatch) -> None:
    def grouped(learner: Learner, *_others: object) -> torch.optim.Optimizer:
        groups = [{"params": [p], "full_rate": 1e-3} for p in learner.parameters()]
        return torch.optim.AdamW(groups)

    patch.setattr(meta_train_module, "optimizer_of", grouped)


def _another_figure(patch: pytest.MonkeyPatch) -> None:
    with_figure = make_dataclass("Epoch", ["added"], bases=(Epoch,), frozen=True, kw_only=True)
    patch.setattr(checkpoint, "Epoch", with_figure)


@pytest.mark.parametrize("changed", [_another_weight, _another_grouping, _another_figure])
def test_a_checkpoint_of_older_code_is_left_aside(
    inputs: Inputs,
    config: Config,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changed: Callable[[pytest.MonkeyPatch], None],
) -> None:
    checkpoints = Checkpoints(folder=tmp_path, identity="same")
    with pytest.raises(KilledError):
        meta_train(inputs, config, CPU, _killed_in(2), checkpoints)
    changed(monkeypatch)
    trained = meta_train(inputs, config, CPU, checkpoints=checkpoints)
    assert _same_weights(trained, meta_train(inputs, config, CPU))


@pytest.mark.parametrize("kept", [0, 9, 0.5])
def test_a_cut_checkpoint_starts_anew(
    inputs: Inputs, config: Config, tmp_path: Path, kept: float
) -> None:
    checkpoints = Checkpoints(folder=tmp_path, identity="same")
    with pytest.raises(KilledError):
        meta_train(inputs, config, CPU, _killed_in(2), checkpoints)
    file = tmp_path / "checkpoint.pt"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else int(kept)])
    assert (
        len(meta_train(inputs, config, CPU, checkpoints=checkpoints).curve)
        == config.training.epochs
    )


@pytest.mark.parametrize(("batch_tasks", "shards", "processes"), [(8, 3, 1), (8, 1, 2), (9, 4, 2)])
def test_numbers_that_do_not_divide_are_refused(
    inputs: Inputs, config: Config, batch_tasks: int, shards: int, processes: int
) -> None:
    uneven = config.having({"training.batch_tasks": batch_tasks, "training.shards": shards})
    with pytest.raises(UserError, match=f"{batch_tasks} tasks a batch, {shards} shards"):
        meta_train(inputs, uneven, CPU, processes=Processes(0, processes))


def test_evaluation_reports_every_scenario_beside_the_baselines(inputs: Inputs, learner) -> None:
    figures = evaluate(learner, "melu", inputs, CPU)
    assert {f.scenario for f in figures} == {"warm", "user_cold", "item_cold", "both_cold"}
    of_warm = {(f.model, f.metric) for f in figures if f.scenario == "warm"}
    rated = {"melu", "global_mean", "item_mean", "damped_bias", "damped_bias_rounded"}
    expected = {(model, metric) for model in rated for metric in ("mae", "rmse", "ndcg5")}
    own = {("melu", "adaptation_gain"), ("melu", "mae_of_expected")}
    assert of_warm == expected | own | {("popularity", "ndcg5"), ("chance", "ndcg5")}
    assert sum(f.n_tasks for f in figures if (f.model, f.metric) == ("melu", "mae")) == 8
