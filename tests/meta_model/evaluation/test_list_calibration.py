"""What p_like and intervals are off by, on numbers written out and on models made to be off."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from meta_model.choice.interactions import Interactions
from meta_model.choice.training import untrained
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.evaluation.list_calibration import expected_error, list_calibration
from meta_model.learners import create
from meta_model.ranking.calibration import Calibration, OfSize
from meta_model.ranking.recommender import Recommender


def test_the_error_is_the_mean_over_bins_of_as_many_items() -> None:
    probabilities = torch.arange(20).double() / 40
    happened = torch.zeros(20).double()
    happened[[3, 19]] = 1
    expected = 0.0
    for first in range(0, 20, 2):
        pair = slice(first, first + 2)
        expected += abs(float(probabilities[pair].mean() - happened[pair].mean())) / 10
    shuffled = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    found = expected_error(probabilities[shuffled], happened[shuffled])
    assert found == pytest.approx(expected)


def _calibrated(inputs: Inputs, config: Config, of_all: OfSize) -> Recommender:
    torch.manual_seed(3)
    cpu = torch.device("cpu")
    made = Recommender.of(create(config, inputs), untrained(config, inputs), config, inputs, cpu)
    return replace(made, calibration=Calibration(next_items=4, sizes=(of_all,)))


def test_a_model_that_is_sure_is_off_by_what_does_not_come(inputs: Inputs, config: Config) -> None:
    sure = _calibrated(inputs, config, OfSize(n_support=0, intercept=9.0, slope=0.0))
    never = _calibrated(inputs, config, OfSize(n_support=0, intercept=-9.0, slope=0.0))
    off, missed = (list_calibration(each, inputs, "user_cold") for each in (sure, never))
    assert off is not None
    assert missed is not None
    assert off.n_users == missed.n_users > 0
    assert missed.error > 0.01, "some of what is listed is chosen next and liked"
    assert off.error + missed.error == pytest.approx(1.0, abs=1e-3)
    assert off.coverage is None, "no interval is known"


def test_an_interval_of_the_whole_scale_holds_every_rating(inputs: Inputs, config: Config) -> None:
    wide = _calibrated(inputs, config, OfSize(n_support=0, low=-9.0, high=9.0))
    none = _calibrated(inputs, config, OfSize(n_support=0, low=8.0, high=9.0))
    for made, share in ((wide, 1.0), (none, 0.0)):
        found = list_calibration(made, inputs, "user_cold")
        assert found is not None
        assert found.coverage == share


def test_new_users_show_more_and_more_and_existing_ones_all_they_have(
    inputs: Inputs, config: Config, rows
) -> None:
    supports = [len(row["support_items"]) for row in rows("test").to_pylist()]
    sizes = (
        OfSize(n_support=0, low=8.0, high=9.0),
        OfSize(n_support=min(supports), low=-9.0, high=9.0),
    )
    made = _calibrated(inputs, config, OfSize(n_support=0))
    made = replace(made, calibration=replace(made.calibration, sizes=sizes))
    new, existing = (list_calibration(made, inputs, name) for name in ("user_cold", "warm"))
    assert new is not None
    assert existing is not None
    assert 0 < new.coverage < 1
    assert existing.coverage == 1, "training has seen what follows within a support"


def test_what_training_saw_a_user_choose_does_not_count(inputs: Inputs, config: Config) -> None:
    """Existing users have chosen more than a support holds: here, everything."""
    made = _calibrated(inputs, config, OfSize(n_support=0, intercept=9.0, slope=0.0))
    n_items, users = made.n_items, inputs.episodes.split("test", scenario="warm").users
    pairs = torch.cartesian_prod(torch.from_numpy(users).long(), torch.arange(1, n_items + 1))
    everything = Interactions(users=pairs[:, 0], items=pairs[:, 1], n_items=n_items)
    everywhere = replace(made.neighbours, read=lambda: everything)
    counted, not_counted = (
        list_calibration(each, inputs, "warm")
        for each in (made, replace(made, neighbours=everywhere))
    )
    assert counted is not None
    assert not_counted is not None
    assert counted.error > 0.5, "it is sure of what does not come"
    assert not_counted.error == 0


def test_a_scenario_without_users_has_none(inputs: Inputs, config: Config) -> None:
    made = _calibrated(inputs, config, OfSize(n_support=0))
    assert list_calibration(made, inputs, "no such scenario") is None
