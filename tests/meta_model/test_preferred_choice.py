"""A night's model of choices: what the artefact's config says of it, and what the log tells."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from meta_model.choice.training import REGULARISATIONS, Training, train
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.learners import create
from meta_model.ranking.recommender import Recommender
from meta_model.steps import meta_train

CPU = torch.device("cpu")


@pytest.mark.parametrize("place", [0, 1], ids=["the least loss", "better lists"])
def test_the_config_has_the_regularisation_of_the_model_that_is_kept(
    inputs: Inputs, config: Config, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates: list[Recommender] = []

    def at_place(given: Sequence[Recommender], _inputs: Inputs) -> Recommender:
        candidates.extend(given)
        return given[place]

    monkeypatch.setattr(meta_train, "preferred", at_place)
    config, told = config.having({"choice.epochs": 1}), []
    learner = create(config, inputs)
    found = meta_train.with_choice(learner, config, inputs, CPU, told.append)
    assert {each.config.choice.regularisation for each in candidates} == REGULARISATIONS.keys()
    kept = found.config.choice.regularisation
    assert found.choice.own.equal(train(inputs, Training.of(config, kept)).own)
    assert (f"{kept} regularisation, and neighbours of weight 2" in told[-2]) == (place == 1)
    # An inverse of items by items, which is not computed twice.
    assert candidates[0].neighbours is candidates[1].neighbours
