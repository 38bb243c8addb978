"""The validated configuration of a learner and its training; saved with the model."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from schemas.errors import UserError
from schemas.run.learners import DEFAULT
from schemas.tables.products import RankBy

VERSION = 5

Likelihood = Literal["ordinal", "squared"]
Gradient = Literal["second_order", "first_order", "reptile"]
LocalRates = Literal["fixed", "layer", "parameter"]
Aggregate = Literal["attention", "mean"]
MemoryDecay = Literal["attended", "whole"]
Similarity = Literal["inner", "cosine"]
Regularisation = Literal["validated", "light", "strong"]

_POSITIVE = (
    *("embedding_size", "local_steps", "local_rate", "epochs", "patience_epochs", "batch_tasks"),
    *("shards", "global_rate", "clip_norm", "min_adapt", "top_items", "evidence_items"),
    *("memory_slots", "context_size", "segment_users", "judging_users"),
    *("choice_size", "choice_epochs", "evidence_users", "evidence_candidates"),
)
_SHARES = (
    *("dropout", "hide_item", "hide_task", "short_support", "empty_support", "warm_up"),
    *("profile_mix", "gradient_mix", "preference_mix"),
)
_CHOICES = {
    "likelihood": Likelihood,
    "gradient": Gradient,
    "local_rates": LocalRates,
    "aggregate": Aggregate,
    "memory_decay": MemoryDecay,
    "similarity": Similarity,
    "rank_by": RankBy,
    "choice_regularisation": Regularisation,
}


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a training run depends on besides its data; `paper()` is MeLU as published."""

    version: int = VERSION
    model: str = DEFAULT
    seed: int = 20260101

    # The network.
    embedding_size: int = 32
    hidden_sizes: tuple[int, ...] = (64, 64)
    anchor: bool = True  # predict the residual over the baseline mu + b_i + b_u, not the rating
    content_prior: bool = True  # an item's bias starts from what its attributes say
    item_statistics: bool = True  # count and bias of an item's ratings as inputs
    user_statistics: bool = True  # the same of the support's ratings
    item_identity: bool = True  # embed the item itself beside its attributes
    hide_item: float = 0.15  # share of items that training shows as cold ones: by content alone
    hide_task: float = 0.25  # share of tasks that training shows with all their items cold
    dropout: float = 0.2  # on embedded users and items, in training only

    # The local update.
    local_steps: int = 3
    local_rate: float = 0.2
    local_rates: LocalRates = "layer"  # learnt: one a layer and step, or (Meta-SGD) a parameter
    support_damping: float = 12.0  # added to the support's size where the local loss divides by it
    gradient: Gradient = "second_order"

    # Ratings as ordered levels, with a learnt threshold between any two, or as plain numbers. The
    # local loss is the squared error on the latent scale with either.
    likelihood: Likelihood = "ordinal"

    # What single methods have beside that (docs/learners/ has a page on each).
    memory_slots: int = 8  # MAMO: kinds of users in the memories (K)
    memory_bias_rate: float = 0.1  # MAMO: how far a memory shifts the user layers (tau)
    profile_mix: float = 0.1  # MAMO: share of a memory of profiles that a batch replaces (alpha)
    gradient_mix: float = 0.1  # MAMO: the same of fast gradients (beta)
    memory_decay: MemoryDecay = "whole"  # MAMO: also where no one attends, or only where
    preference_mix: float = 0.05  # MAMO: the same of preferences (gamma)
    contexts: bool = True  # MetaHIN: without them the same model sees empty contexts
    context_size: int = 16  # MetaHIN: neighbours of an item that are read for each meta-path
    aggregate: Aggregate = "attention"  # aggregating: how a support becomes one vector
    similarity: Similarity = "inner"  # aggregating: of user and item

    # The global update.
    epochs: int = 10
    patience_epochs: int = 10  # stop after so many epochs without a better validation MAE
    batch_tasks: int = 64
    shards: int = 1  # streams of row groups a batch is drawn from, the same number of tasks each
    recut: bool = True  # resample support and query of training tasks in each epoch
    short_support: float = 0.5  # share of resampled tasks with a shortened support
    empty_support: float = 0.05  # share of resampled tasks without a support
    query_size: int = 10  # of resampled tasks
    global_rate: float = 3e-3
    warm_up: float = 0.05  # share of training in which the rate rises; then it falls as a cosine
    weight_decay: float = 1.0
    clip_norm: float = 5.0

    # The model of choices, beside the learner of ratings (meta_model/choice).
    choice_size: int = 48  # factors of an item and of a user
    choice_epochs: int = 30
    choice_decay: float = 0.1  # of the factors
    # Both are tried, and validation users choose; or one of them (meta_model/choice/training.py).
    choice_regularisation: Regularisation = "validated"
    neighbour_weight: float = 2.0  # of item-to-item neighbours beside the factors; 0: without

    # The products.
    rank_by: RankBy = "p_like"  # chosen and liked; or how likely chosen, or the expected rating
    min_adapt: int = 1  # fewer support interactions than this are scored by the global model
    top_items: int = 20  # scores published for each cold user
    evidence_items: int = 20  # length of the evidence list
    evidence_users: int = 5_000  # existing users whom the list is chosen on, drawn at random
    evidence_candidates: int = 400  # items it is chosen from, those that most users rated
    segment_users: int = 100  # existing users that a segment needs for a list of its own
    judging_users: int = 20  # held-out users that it takes to say what a list is worth

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise UserError(
                f"the model's config has version {self.version}, this code reads {VERSION}; "
                "train the model again, or use the code that trained it."
            )
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise UserError(f"config {name} is {getattr(self, name)}, expected more than 0.")
        for name in _SHARES:
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"config {name} is {getattr(self, name)}, expected 0 <= it < 1.")
        if self.neighbour_weight < 0:
            raise UserError(
                f"config neighbour_weight is {self.neighbour_weight}, expected 0 or more."
            )
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in get_args(choices):
                raise UserError(
                    f"config {name} is {getattr(self, name)!r}, "
                    f"expected one of {get_args(choices)}."
                )
        if self.gradient == "reptile" and self.local_rates != "fixed":
            raise UserError(
                "config gradient is 'reptile', which has no gradient for local rates; "
                "set local_rates to fixed."
            )

    def having(self, options: Iterable[str]) -> Config:
        """This config with options given as text, `local_steps=1` or `hidden_sizes=[32, 32]`."""
        values = asdict(self)
        for option in options:
            name, _, text = option.partition("=")
            if name not in values or name == "version":
                near = difflib.get_close_matches(name, values, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise UserError(
                    f"--set {option!r}: expected NAME=VALUE with one of {sorted(values)}.{hint}"
                )
            values[name] = _read(name, text, values[name])
        return Config(**values)

    def paper(self) -> Config:
        """MeLU as published: attributes alone, one local step, ratings as numbers."""
        return replace(
            self,
            anchor=False,
            content_prior=False,
            item_statistics=False,
            user_statistics=False,
            item_identity=False,
            hide_item=0.0,
            hide_task=0.0,
            dropout=0.0,
            local_steps=1,
            local_rate=5e-3,
            local_rates="fixed",
            support_damping=0.0,
            likelihood="squared",
            recut=False,
            weight_decay=0.0,
            global_rate=1e-3,
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)

    @staticmethod
    def from_json(text: str) -> Config:
        values: dict[str, Any] = json.loads(text)
        if values.get("version") != VERSION:
            Config(version=values.get("version", 0))
        unknown = sorted(set(values) - {field.name for field in fields(Config)})
        if unknown:
            raise UserError(f"the model's config has unknown keys {unknown}; train it again.")
        values["hidden_sizes"] = tuple(values["hidden_sizes"])
        return Config(**values)


def _read(name: str, text: str, default: Any) -> Any:
    """The value in `text`, of the type of the option's default."""
    try:
        value = text if isinstance(default, str) else json.loads(text.lower())
    except json.JSONDecodeError:
        value = None
    if isinstance(default, tuple) and isinstance(value, list):
        value = tuple(value)
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(default) or any(type(n) is not int for n in _items(value)):
        raise UserError(
            f"--set {name}={text}: expected a value like {json.dumps(default)}, "
            "numbers and true or false as in JSON."
        )
    return value


def _items(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()
