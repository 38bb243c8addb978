"""Every learner's night on MovieLens-100K: from the same features to the same products."""

from __future__ import annotations

import json
from datetime import date

import pytest

from schemas import journal
from schemas.learners import OURS
from tests.e2e.conftest import STEPS, Home

DS = date(1998, 3, 31)
OF_A_MODEL = STEPS[STEPS.index(("meta_model", "train")) :]


@pytest.fixture(scope="module")
def features(home: Home) -> Home:
    """The features of the day, which all learners share."""
    home.cut(until=DS, every=1)
    for package, command in STEPS[: -len(OF_A_MODEL)]:
        home.step(package, command, DS)
    return home


@pytest.mark.parametrize("model", OURS)
def test_a_night_with_every_learner(features: Home, model: str) -> None:
    for package, command in OF_A_MODEL:
        features.step(package, command, DS, "--model", model)
    published = features.published(DS)
    [publication] = published["publications"]
    assert model in publication
    assert len([row for row in published["evidence_items"] if row[1] == "all"]) == 20
    assert len(published["cold_user_scores"]) > 1000
    config = json.loads((features.settings.models / model / f"ds={DS}" / "config.json").read_text())
    assert config["model"] == model
    steps = [
        e["step"] for e in journal.read(features.settings.journals, DS) if e["event"] == "finished"
    ]
    assert steps[-2:] == ["publish", "report"]
