"""What a night's model depends on besides its data: one `Config`, composed of checked sections.

The sections that all learners share are in `sections`. Options of one learner alone lie beside it,
as a `MethodConfig`: those of MAMO in `meta_model/learners/mamo.py`.
"""

from __future__ import annotations

from meta_model.config.config import VERSION, Config
from meta_model.config.options import MethodConfig, Option, Section, option, options_of
from meta_model.config.sections import (
    ChoiceConfig,
    ChoiceLearner,
    LocalUpdateConfig,
    NetworkConfig,
    ProductConfig,
    TrainingConfig,
)

__all__ = [
    "VERSION",
    "ChoiceConfig",
    "ChoiceLearner",
    "Config",
    "LocalUpdateConfig",
    "MethodConfig",
    "NetworkConfig",
    "Option",
    "ProductConfig",
    "Section",
    "TrainingConfig",
    "option",
    "options_of",
]
