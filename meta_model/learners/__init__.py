"""The learners, one file a method; `create` finds one by its name (`schemas.run.learners`)."""

from __future__ import annotations

from dataclasses import replace

from meta_model.config import Config, MethodConfig
from meta_model.data.inputs import Inputs
from meta_model.learners.aggregating import AggregatingEstimator
from meta_model.learners.learner import Learner
from meta_model.learners.maml import MAML
from meta_model.learners.mamo import MAMO
from meta_model.learners.matching import MatchingNetwork
from meta_model.learners.melu import MeLU
from meta_model.learners.metahin import MetaHIN
from meta_model.learners.prototypical import PrototypicalNetwork
from meta_model.learners.ridge import RidgeRegression
from schemas.errors import UserError
from schemas.run.learners import added, known

LEARNERS: dict[str, type[Learner]] = {
    "aggregating": AggregatingEstimator,
    "maml": MAML,
    "mamo": MAMO,
    "matching": MatchingNetwork,
    "melu": MeLU,
    "metahin": MetaHIN,
    "prototypical": PrototypicalNetwork,
    "ridge": RidgeRegression,
}


def configured(model: str, like: Config | None = None) -> Config:
    """The config of a learner, with the defaults of its own options; shared ones as in `like`."""
    return replace(like or Config(), model=model, method=method_config(model)())


def method_config(model: str) -> type[MethodConfig]:
    """The options that the learner of this name has of its own."""
    return _class(model).method_config


def create(config: Config, inputs: Inputs) -> Learner:
    """An untrained learner for these inputs, its weights drawn from the global random state."""
    found = _class(config.model)
    if (
        config.local_update.gradient == "reptile"
        and found.adaptation_deltas is Learner.adaptation_deltas
    ):
        raise UserError(
            f"local_update.gradient is 'reptile', and {config.model} adapts no parameters for "
            "it to move; set it to second_order."
        )
    if type(config.method) is MethodConfig:
        config = configured(config.model, like=config)
    if type(config.method) is not found.method_config:
        raise UserError(
            f"the config of the model {config.model} has {type(config.method).__name__}, "
            f"expected {found.method_config.__name__}; make it by meta_model.learners.configured."
        )
    return found(config, inputs)


def _class(name: str) -> type[Learner]:
    if name in LEARNERS:
        return LEARNERS[name]
    if name not in added():
        raise UserError(f"model is {name!r}; the known ones are {known()}.")
    point = added()[name]
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        raise UserError(f"model {name!r} ({point.value}) cannot be loaded: {error}.") from error
    if not (isinstance(found, type) and issubclass(found, Learner)):
        raise UserError(
            f"model {name!r} is {point.value}, which is no meta_model.learners.Learner; "
            "correct the package that declares it."
        )
    return found


__all__ = ["LEARNERS", "Learner", "configured", "create", "method_config"]
