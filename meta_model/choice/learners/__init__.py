"""The learners of choices, one file a method; `choice.learner` names one of them."""

from __future__ import annotations

from collections.abc import Mapping

from meta_model.choice.learners.aggregating import Aggregating
from meta_model.choice.learners.matching import Matching
from meta_model.choice.learners.melu import MeLU
from meta_model.choice.learners.ridge import Ridge
from meta_model.choice.model import ChoiceModel
from meta_model.config import ChoiceLearner

LEARNERS: Mapping[ChoiceLearner, type[ChoiceModel]] = {
    "aggregating": Aggregating,
    "matching": Matching,
    "melu": MeLU,
    "ridge": Ridge,
}

__all__ = ["LEARNERS"]
