"""The learners, one file a method; `create` finds one by its name."""

from __future__ import annotations

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.learners.learner import Learner
from meta_model.learners.melu import MeLU
from schemas.errors import UserError

LEARNERS: dict[str, type[Learner]] = {"melu": MeLU}


def create(config: Config, inputs: Inputs) -> Learner:
    """An untrained learner for these inputs, its weights drawn from the global random state."""
    if config.model not in LEARNERS:
        raise UserError(f"model is {config.model!r}; the known ones are {sorted(LEARNERS)}.")
    return LEARNERS[config.model](
        config, inputs.users, inputs.items, inputs.statistics(), inputs.rating_levels
    )


__all__ = ["LEARNERS", "Learner", "create"]
