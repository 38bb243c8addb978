"""Losses are added up exactly, however rarely they are read, and one that is no number is told."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch

from meta_model.config import Config
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.learners import LEARNERS, configured
from meta_model.training import losses
from meta_model.training import meta_train as meta_train_module
from meta_model.training.checkpoint import Checkpoints
from meta_model.training.losses import Losses
from meta_model.training.meta_train import meta_train
from schemas.errors import UserError

CPU = torch.device("cpu")
STEPS = [(0.5, 4), (0.25, 4), (2.0, 1)]


def _added(made: Losses) -> Losses:
    for step, (loss, n_tasks) in enumerate(STEPS):
        users = [torch.arange(n_tasks) + 10 * step]
        made.add(step, torch.tensor(loss, dtype=torch.float64), n_tasks, users)
    return made


@pytest.mark.parametrize("unread", [1, 2, 64])
def test_the_total_does_not_depend_on_when_losses_are_read(
    unread: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "works_ahead", lambda _: True)
    monkeypatch.setattr(losses, "_STEPS_UNREAD", unread)
    made = _added(Losses(1, CPU))
    made.read()
    assert made.total == 0.5 * 4 + 0.25 * 4 + 2.0


@pytest.mark.parametrize("unread", [1, 64])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_names_its_step_and_users(
    unread: int, bad: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(losses, "works_ahead", lambda _: True)
    monkeypatch.setattr(losses, "_STEPS_UNREAD", unread)
    monkeypatch.setattr(f"{__name__}.STEPS", [(0.5, 2), (bad, 3), (0.5, 2)])
    made = Losses(4, CPU)
    with pytest.raises(UserError, match=rf"{bad} in epoch 4, step 1, .* \[10, 11, 12\]; lower"):
        _added(made).read()


def test_training_that_diverges_ends_and_keeps_the_last_whole_epoch(
    inputs: Inputs, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, kept = meta_train_module.global_update, []

    def poisoned(learner, optimizer, parts, config, at, processes):
        if at.epoch == 2:
            kept.append((tmp_path / "checkpoint.pt").read_bytes())
            for _, tasks in parts:
                tasks.query.ratings.fill_(math.nan)
        return real(learner, optimizer, parts, config, at, processes)

    monkeypatch.setattr(meta_train_module, "global_update", poisoned)
    with pytest.raises(UserError, match=r"became nan in epoch 2, step 0"):
        meta_train(
            inputs,
            config.having({"training.epochs": 3, "network.likelihood": "squared"}),
            CPU,
            checkpoints=Checkpoints(folder=tmp_path, identity="same"),
        )
    assert (tmp_path / "checkpoint.pt").read_bytes() == kept[0]


@pytest.mark.parametrize("model", sorted(LEARNERS))
def test_a_learner_that_diverges_is_told_in_words(
    inputs: Inputs, config: Config, model: str
) -> None:
    wild = configured(model, like=config).having({"training.global_rate": 1e30})
    with pytest.raises(UserError, match=r"loss became (nan|inf) in epoch 1"):
        meta_train(inputs, wild, CPU)


def _poisoned(monkeypatch: pytest.MonkeyPatch, bad: float) -> None:
    """From the second epoch on the validation loss is `bad`."""
    real, n_epochs = meta_train_module.validate, []

    def validate(*arguments):
        n_epochs.append(1)
        return real(*arguments) | ({"validation_loss": bad} if len(n_epochs) > 1 else {})

    monkeypatch.setattr(meta_train_module, "validate", validate)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_validation_loss_that_is_no_number_ends_training(
    inputs: Inputs, config: Config, monkeypatch: pytest.MonkeyPatch, bad: float
) -> None:
    _poisoned(monkeypatch, bad)
    with pytest.raises(UserError, match=rf"validation loss became {bad} in epoch 2, .*; lower"):
        meta_train(inputs, config, CPU)


def test_without_validation_tasks_the_last_epoch_is_kept(
    inputs: Inputs, config: Config, tmp_path: Path
) -> None:
    [file] = inputs.episodes.files
    rows = pq.read_table(file)
    pq.write_table(rows.filter(pc.not_equal(rows["split"], "validation")), tmp_path / "0.parquet")
    without = replace(inputs, episodes=Episodes(files=(tmp_path / "0.parquet",)))
    trained = meta_train(without, config, CPU)
    assert math.isnan(trained.curve[-1].validation_loss)
    assert trained.best_epoch == config.training.epochs
