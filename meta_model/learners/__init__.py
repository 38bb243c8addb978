"""The learners, one file a method; `create` finds one by its name."""

from __future__ import annotations

from meta_model.config import Config
from meta_model.features import Features
from meta_model.item_statistics import ItemStatistics
from meta_model.learners.learner import Learner
from meta_model.learners.melu import MeLU
from schemas.errors import UserError

LEARNERS: dict[str, type[Learner]] = {"melu": MeLU}


def create(config: Config, users: Features, items: Features, statistics: ItemStatistics) -> Learner:
    """An untrained learner, its weights drawn from the global random state."""
    if config.model not in LEARNERS:
        raise UserError(f"model is {config.model!r}; the known ones are {sorted(LEARNERS)}.")
    return LEARNERS[config.model](config, users, items, statistics)


__all__ = ["LEARNERS", "Learner", "create"]
