"""A model that is not whole, or not of these inputs, is refused in words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import torch

from meta_model.artefact import artefact
from meta_model.choice.learners import LEARNERS
from meta_model.choice.training import Training, train
from meta_model.config import ChoiceLearner, Config
from meta_model.data.inputs import Inputs
from meta_model.ranking.calibrating import calibrated
from meta_model.ranking.recommender import Recommender
from meta_model.training.meta_train import meta_train
from schemas.errors import UserError
from schemas.run.artefact import Provenance

CPU = torch.device("cpu")
DS = date(1998, 3, 31)


@pytest.fixture
def saved(tmp_path: Path, inputs: Inputs, config: Config) -> Path:
    _save(tmp_path, inputs, config)
    return tmp_path / "melu" / f"ds={DS}"


def _save(models: Path, inputs: Inputs, config: Config) -> tuple[Recommender, Provenance]:
    trained = meta_train(inputs, config, CPU)
    choice = train(inputs, Training.of(config, "light"))
    made = Recommender.of(trained.learner, choice, config, inputs, CPU)
    made = calibrated(made, inputs)
    return made, artefact.save(models, DS, inputs, trained, made)


def _load(saved: Path, inputs: Inputs) -> None:
    artefact.load(saved.parents[1], DS, "melu", inputs, CPU)


def test_a_loaded_model_predicts_as_the_trained_one(
    tmp_path: Path, inputs: Inputs, config: Config, tasks_of
) -> None:
    made, provenance = _save(tmp_path, inputs, config)
    loaded = artefact.load(tmp_path, DS, "melu", inputs, CPU)
    assert (loaded.config, loaded.provenance) == (config, provenance)
    tasks = tasks_of("test")
    predictions = []
    for learner in (made.learner, loaded.learner):
        catalogue = learner.embed(tasks.items)
        state = learner.adapt(tasks, catalogue)
        predictions.append(learner.predict(state, catalogue, learner.statistics.query(tasks)))
    assert torch.equal(*predictions)
    assert loaded.recommender.calibration == made.calibration
    assert loaded.recommender.scores(tasks).equal(made.scores(tasks))


def test_another_vocabulary_is_refused(saved: Path, inputs: Inputs) -> None:
    with pytest.raises(UserError, match="was trained on the vocabulary 000000000000"):
        _load(saved, replace(inputs, vocabulary_checksum="f" * 64))


@pytest.mark.parametrize("fault", ["truncated", "tampered"])
@pytest.mark.parametrize("part", ["weights.safetensors", "choice.safetensors", "calibration.json"])
def test_altered_weights_are_refused(saved: Path, inputs: Inputs, fault: str, part: str) -> None:
    file = saved / part
    weights = file.read_bytes()
    file.write_bytes(
        weights[:-9] if fault == "truncated" else weights[:-1] + bytes([weights[-1] ^ 1])
    )
    with pytest.raises(UserError, match="a file is cut or altered"):
        _load(saved, inputs)


def test_a_missing_part_is_named(saved: Path, inputs: Inputs) -> None:
    (saved / "choice.safetensors").unlink()
    with pytest.raises(UserError, match=r"choice\.safetensors is missing\. Train again"):
        _load(saved, inputs)


def test_an_unknown_config_version_is_refused(saved: Path, inputs: Inputs) -> None:
    file = saved / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": 99}))
    with pytest.raises(UserError, match="has version 99, this code reads 6"):
        _load(saved, inputs)


def test_a_missing_model_names_the_step(tmp_path: Path, inputs: Inputs) -> None:
    with pytest.raises(UserError, match="run the step meta_train for that ds first"):
        artefact.load(tmp_path, DS, "melu", inputs, CPU)


@pytest.mark.parametrize("name", sorted(LEARNERS))
def test_the_learner_of_choices_is_the_one_that_was_trained(
    tmp_path: Path, inputs: Inputs, config: Config, tasks_of, name: ChoiceLearner
) -> None:
    config = config.having({"choice.learner": name, "choice.epochs": 1, "choice.size": 6})
    made, _ = _save(tmp_path, inputs, config)
    loaded = artefact.load(tmp_path, DS, "melu", inputs, CPU).recommender
    assert type(loaded.choice) is type(made.choice) is LEARNERS[name]
    tasks = tasks_of("test")
    assert loaded.scores(tasks).equal(made.scores(tasks))


def test_an_older_artefact_which_names_no_learner_of_choices_is_ridge(
    tmp_path: Path, inputs: Inputs, config: Config
) -> None:
    _save(tmp_path, inputs, config.having({"choice.learner": "ridge"}))
    saved = tmp_path / "melu" / f"ds={DS}"
    file = saved / "config.json"
    older = json.loads(file.read_text())
    assert older["choice"].pop("learner") == "ridge"
    file.write_text(json.dumps(older))
    loaded = artefact.load(saved.parents[1], DS, "melu", inputs, CPU)
    assert type(loaded.recommender.choice) is LEARNERS["ridge"]
    assert loaded.config.choice.learner == "ridge"


def test_weights_of_another_learner_of_choices_are_refused(saved: Path, inputs: Inputs) -> None:
    file = saved / "config.json"
    other = json.loads(file.read_text())
    other["choice"]["learner"] = "aggregating"
    file.write_text(json.dumps(other))
    with pytest.raises(UserError, match=r"does not fit this code and these inputs(.|\n)*hidden"):
        _load(saved, inputs)
