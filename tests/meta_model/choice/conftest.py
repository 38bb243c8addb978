"""Every learner of choices, for the tests that each of them has to pass."""

from __future__ import annotations

import pytest

from meta_model.choice.learners import LEARNERS
from meta_model.config import ChoiceLearner


@pytest.fixture(params=sorted(LEARNERS))
def learner(request: pytest.FixtureRequest) -> ChoiceLearner:
    name: ChoiceLearner = request.param
    return name
