"""The trend of popularity, by its definition on literal catalogues, and where it is used."""

from __future__ import annotations

import math
from dataclasses import replace

import pyarrow as pa
import pytest
import torch

from meta_model.choice.training import untrained
from meta_model.choice.trend import held_out_trend, trend_at_ds
from meta_model.config import Config
from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.learners import create
from meta_model.ranking.calibrating import calibrated
from meta_model.ranking.recommender import Recommender
from meta_model.ranking.scoring import score_cold_users

CPU = torch.device("cpu")


def _with(inputs: Inputs, **columns: list[float]) -> Inputs:
    """The inputs whose item profiles have these columns instead."""
    items = inputs.item_profiles.drop_columns(list(columns))
    for name, values in columns.items():
        items = items.append_column(name, pa.array(values))
    return replace(inputs, item_profiles=items)


def _recommender(inputs: Inputs, config: Config) -> Recommender:
    torch.manual_seed(1)
    return Recommender.of(create(config, inputs), untrained(config, inputs), config, inputs, CPU)


@pytest.fixture
def moved(inputs: Inputs) -> Inputs:
    """Item 1 was chosen by all of late, by the held-out days; item 2 since."""
    n = len(inputs.item_profiles)
    counts = [5.0, 5.0, 0.0, *[1.0] * (n - 3)]  # item 3 is new
    return _with(
        inputs,
        train_n_ratings=counts,
        train_recent=[8.0, *[0.0] * (n - 1)],
        recent_interactions=[0.0, 6.0, 2.0, *[0.0] * (n - 3)],
    )


def test_the_trend_is_the_log_of_recent_interactions_over_those_expected(moved: Inputs) -> None:
    found, n = held_out_trend(moved), len(moved.item_profiles)
    total = 6 + 6 + 1 + 2 * (n - 3) + 1  # of counts + 1, padding's too
    expected = 8 * 6 / total
    assert found[1].item() == pytest.approx(math.log((8 + 2) / (expected + 2)))
    assert found[2].item() == pytest.approx(math.log(2 / (expected + 2))), "nobody chose it of late"
    assert found[3].item() == 0, "before the held-out days a new item was not there"


def test_at_ds_a_new_item_has_its_interactions_up_to_then(moved: Inputs, config: Config) -> None:
    items = untrained(config, moved).items()
    found = trend_at_ds(moved, items)
    promised = items.biases[0, 3].double().exp().item()
    expected = math.log((2 + 2) / (8 * promised + 2))
    assert found[3].item() == pytest.approx(expected, rel=1e-5)
    fewer = _with(moved, recent_interactions=[0.0, 800.0, 0.0, *[0.0] * (len(found) - 4)])
    assert trend_at_ds(fewer, items)[3] == 0, "it may have been there for a day"
    assert trend_at_ds(fewer, items)[1] < -1
    assert found[2] > 0 > found[1]


def test_without_time_there_is_no_trend(inputs: Inputs) -> None:
    items = inputs.item_profiles.drop_columns(["train_recent", "recent_interactions"])
    timeless = replace(inputs, item_profiles=items)
    assert held_out_trend(timeless).eq(0).all()
    quiet = _with(inputs, train_recent=[0.0] * len(items))
    assert held_out_trend(quiet).eq(0).all()


def test_a_list_follows_the_trend_by_its_weight(moved: Inputs, config: Config) -> None:
    tasks = next(iter(batches(moved.episodes.split("test"), 8)))
    nothing = replace(tasks, support=tasks.support.hidden())
    ranks = {}
    for weight in (0.0, 1.0):
        ours = _recommender(moved, config.having({"choice.trend_weight": weight}))
        scores = ours.scores(nothing)
        ranks[weight] = (scores[:, 1] - scores[:, 2]).tolist()
    trend = held_out_trend(moved)
    expected = [before + (trend[1] - trend[2]).item() for before in ranks[0.0]]
    assert ranks[1.0] == pytest.approx(expected, abs=1e-4)


def test_what_is_published_has_the_trend_at_ds(moved: Inputs, config: Config) -> None:
    ours = _recommender(moved, config)
    [published, *_] = score_cold_users(ours, moved)
    then = replace(moved, item_profiles=moved.item_profiles.drop_columns(["recent_interactions"]))
    [without, *_] = score_cold_users(ours, then)

    def places(items: torch.Tensor, item: int) -> list[int]:
        return [row.index(item) if item in row else len(row) for row in items.tolist()]

    for item in (2, 3):
        assert places(published.items, item) <= places(without.items, item)
    assert not published.items.equal(without.items)


def test_p_like_is_calibrated_without_the_trend(moved: Inputs, config: Config) -> None:
    ours = _recommender(moved, config)
    fitted = calibrated(ours, moved)
    still = calibrated(replace(ours, trend=torch.zeros_like(ours.trend)), moved)
    assert fitted.calibration == still.calibration
    assert fitted.trend.equal(ours.trend)
