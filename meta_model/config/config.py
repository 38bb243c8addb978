"""The configuration of a training run, composed of sections; saved with the model.

A key is OWNER.NAME: `training.epochs`, or `mamo.memory_slots` for an option of the learner's own.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from meta_model.config.options import MethodConfig, Option, Section, options_of
from meta_model.config.sections import (
    ChoiceConfig,
    LocalUpdateConfig,
    NetworkConfig,
    ProductConfig,
    TrainingConfig,
)
from schemas.errors import UserError
from schemas.run.learners import DEFAULT

VERSION = 6
# Models of this version were also saved under these names, and are read as they are.
_RENAMED = {
    "network.anchor": "network.baseline",
    "network.hide_item": "network.cold_item_dropout",
    "network.hide_task": "network.cold_task_dropout",
    "training.recut": "training.resample",
}
# Options that models of this version may lack, and the values that those were trained with.
_BEFORE_OPTION = {"choice.learner": "ridge"}

M = TypeVar("M", bound=MethodConfig)


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a night's model depends on besides its data; `paper()` is the network of MeLU's paper.

    method: the options of the learner's own; `MethodConfig()` stands for their defaults
    """

    version: int = VERSION
    model: str = DEFAULT
    seed: int = 20260101
    network: NetworkConfig = field(default_factory=NetworkConfig)
    local_update: LocalUpdateConfig = field(default_factory=LocalUpdateConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    choice: ChoiceConfig = field(default_factory=ChoiceConfig)
    products: ProductConfig = field(default_factory=ProductConfig)
    method: MethodConfig = field(default_factory=MethodConfig)

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise UserError(
                f"the model's config has version {self.version}, this code reads {VERSION}; "
                "train the model again, or use the code that trained it."
            )
        if self.model in {each.name for each in fields(self)}:
            raise UserError(
                f"model is {self.model!r}, which is a part of every config; "
                "give the entry point another name."
            )

    def sections(self) -> Mapping[str, Section]:
        """The sections by their owners, those of the learner's own options by its name."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        shared = {name: value for name, value in values.items() if isinstance(value, Section)}
        method = shared.pop("method")
        return shared | ({self.model: method} if options_of(type(method)) else {})

    def options(self) -> Mapping[str, Option]:
        """All options by their keys."""
        return {
            f"{owner}.{name}": described
            for owner, section in self.sections().items()
            for name, described in options_of(type(section)).items()
        }

    def of_method(self, kind: type[M]) -> M:
        """The options of the learner's own, of the class that it declares."""
        if type(self.method) is MethodConfig:
            return kind()
        if not isinstance(self.method, kind):
            raise UserError(
                f"the config of the model {self.model} has {type(self.method).__name__}, "
                f"expected {kind.__name__}; make it by meta_model.learners.configured."
            )
        return self.method

    def having(self, values: Mapping[str, object]) -> Config:
        """With other values, by their keys: `{"local_update.steps": 1}`."""
        changes: dict[str, dict[str, object]] = {}
        for key, value in values.items():
            self._described(key)
            owner, _, name = key.rpartition(".")
            changes.setdefault(owner, {})[name] = value
        made: dict[str, Any] = {}
        for owner, changed in changes.items():
            try:
                section = replace(self.sections()[owner], **changed)
            except UserError as error:
                raise UserError(f"{owner}.{error}") from None
            made["method" if owner == self.model else owner] = section
        return replace(self, **made)

    def having_set(self, options: Iterable[str]) -> Config:
        """With options given as text, `local_update.steps=1` or `network.hidden_sizes=[32, 32]`."""
        values = {}
        for text in options:
            key, _, value = text.partition("=")
            values[key] = self._described(key).read(value)
        return self.having(values)

    def paper(self) -> Config:
        """The network of MeLU's paper: attributes alone, one local step, ratings as numbers.

        The local rate, and the schedule of the global one, are ours.
        """
        return self.having(
            {
                "network.baseline": False,
                "network.content_prior": False,
                "network.item_statistics": False,
                "network.user_statistics": False,
                "network.item_identity": False,
                "network.cold_item_dropout": 0.0,
                "network.cold_task_dropout": 0.0,
                "network.dropout": 0.0,
                "network.likelihood": "squared",
                "local_update.steps": 1,
                "local_update.rate": 5e-3,
                "local_update.rates": "fixed",
                "local_update.support_damping": 0.0,
                "training.resample": False,
                "training.weight_decay": 0.0,
                "training.global_rate": 1e-3,
            }
        )

    def to_json(self, without: Collection[str] = ()) -> str:
        """As text, `without` the sections of these names."""
        kept = {name: value for name, value in asdict(self).items() if name not in without}
        return json.dumps(kept, indent=2)

    @staticmethod
    def from_json(text: str, method_of: Callable[[str], type[MethodConfig]]) -> Config:
        """`method_of` says which options of its own the learner of a name has."""
        values: dict[str, Any] = json.loads(text)
        if values.get("version") != VERSION:
            Config(version=values.get("version", 0))
        config = Config(model=values["model"], seed=values["seed"])
        config = replace(config, method=method_of(config.model)())
        plain = {"version", "model", "seed"}
        given = {
            f"{config.model if section == 'method' else section}.{name}": value
            for section, options in values.items()
            if section not in plain
            for name, value in options.items()
        }
        given = _BEFORE_OPTION | {_RENAMED.get(key, key): value for key, value in given.items()}
        known = config.options()
        if unknown := sorted(set(given) - set(known)):
            raise UserError(f"the model's config has unknown keys {unknown}; train it again.")
        return config.having({key: known[key].from_json(value) for key, value in given.items()})

    def _described(self, key: str) -> Option:
        known = self.options()
        if key in known:
            return known[key]
        raise UserError(
            f"no option is called {key!r}: expected OWNER.NAME=VALUE, as in local_update.steps=1."
            f"{_hint(key, known)} `python -m meta_model options` lists all."
        )


def _hint(key: str, known: Collection[str]) -> str:
    """Where an option is that was given without its owner, or nearly by its name."""
    if key in ("model", "seed"):
        return f" Give it by --{key}."
    for before, now in _RENAMED.items():
        if key in (before, before.rpartition(".")[2]):
            return f" It is {now} now."
    names = [(each.rpartition(".")[2], each) for each in known]
    words = set(key.split("_"))
    same = [each for name, each in names if name == key]
    same = same or [each for each in known if words <= set(each.replace(".", "_").split("_"))]
    if "." not in key and same:
        return f" It is {' or '.join(same)} now."
    meant = {each: each for each in known} | dict(names)
    near = difflib.get_close_matches(key, meant, n=1)
    return f" Did you mean {meant[near[0]]!r}?" if near else ""
