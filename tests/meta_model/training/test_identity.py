"""What a checkpoint is told apart by: all that the learner's weights depend on, nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.learners import configured
from meta_model.steps.meta_train import _identity

CPU = torch.device("cpu")
OTHERS = {
    "products.top_items": 5,
    "products.rank_by": "rating",
    "products.min_adapt": 3,
    "choice.neighbour_weight": 0.0,
    "choice.epochs": 2,
}
OF_THE_LEARNER = {
    "network.dropout": 0.1,
    "local_update.steps": 1,
    "training.min_support": 3,
    "mamo.memory_slots": 4,
}


@pytest.fixture
def mamo(config: Config) -> Config:
    return configured("mamo", like=config)


@pytest.mark.parametrize("key", OTHERS)
def test_a_run_goes_on_with_other_products_and_choices(
    inputs: Inputs, mamo: Config, key: str
) -> None:
    changed = mamo.having({key: OTHERS[key]})
    assert changed != mamo
    assert _identity(inputs, changed, CPU) == _identity(inputs, mamo, CPU)


@pytest.mark.parametrize("key", OF_THE_LEARNER)
def test_another_learner_begins_anew(inputs: Inputs, mamo: Config, key: str) -> None:
    changed = mamo.having({key: OF_THE_LEARNER[key]})
    assert _identity(inputs, changed, CPU) != _identity(inputs, mamo, CPU)


def test_another_seed_begins_anew(inputs: Inputs, mamo: Config) -> None:
    assert _identity(inputs, replace(mamo, seed=1), CPU) != _identity(inputs, mamo, CPU)
