"""Every learner's night on MovieLens-100K: from the same features to the same products."""

from __future__ import annotations

import json
from datetime import date

import pytest

from schemas.pipeline import CHECK_OUTPUTS, GATE, META_TRAIN, NIGHT, PUBLISH, REPORT
from schemas.run import journal
from schemas.run.learners import DEFAULT, OURS
from tests.e2e.conftest import Home
from tests.suite.training import SHORT_CHOICES

DS = date(1998, 3, 31)
OF_A_MODEL = NIGHT[NIGHT.index(META_TRAIN) :]
# What these two do depends on the products, and not on the learner that made them.
OF_PRODUCTS = (CHECK_OUTPUTS, REPORT)


def _features(home: Home, every: int) -> Home:
    """The features of the day, which all learners share."""
    home.cut(until=DS, every=every)
    for step in NIGHT[: -len(OF_A_MODEL)]:
        home.step(step, DS)
    return home


@pytest.fixture(scope="module")
def few(home: Home) -> Home:
    return _features(home, every=6)


@pytest.fixture(scope="module")
def all_users(home: Home) -> Home:
    return _features(home, every=1)


@pytest.mark.parametrize("model", OURS)
def test_a_night_with_every_learner(few: Home, model: str) -> None:
    """An epoch on every sixth user, whose quality is a matter of chance."""
    options = {META_TRAIN: ("--epochs", "1", *SHORT_CHOICES), GATE: ("--choose", "challenger")}
    for step in OF_A_MODEL:
        if model == DEFAULT or step not in OF_PRODUCTS:
            few.step(step, DS, "--model", model, *options.get(step, ()))
    _assert_published(few, model, least_scores=300)
    assert _finished(few)[-1] == (REPORT.name if model == DEFAULT else PUBLISH.name)


@pytest.mark.longest  # a training of 1,958 tasks for each learner
@pytest.mark.parametrize("model", OURS)
def test_a_whole_night_with_every_learner(all_users: Home, model: str) -> None:
    """As it is run, and good enough for the gate."""
    for step in OF_A_MODEL:
        all_users.step(step, DS, "--model", model)
    _assert_published(all_users, model, least_scores=1000)
    assert _finished(all_users)[-2:] == [PUBLISH.name, REPORT.name]


def _assert_published(home: Home, model: str, least_scores: int) -> None:
    published = home.published(DS)
    [publication] = published["publications"]
    assert model in publication
    assert len([row for row in published["evidence_items"] if row[1] == "all"]) == 20
    assert len(published["cold_user_scores"]) > least_scores
    config = json.loads((home.settings.models / model / f"ds={DS}" / "config.json").read_text())
    assert config["model"] == model


def _finished(home: Home) -> list[str]:
    entries = journal.read(home.settings.journals, DS)
    return [entry["step"] for entry in entries if entry["event"] == "finished"]
