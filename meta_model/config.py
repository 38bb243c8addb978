"""The validated configuration of a learner and its training; saved with the model."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from schemas.errors import UserError

VERSION = 1

Loss = Literal["absolute", "squared"]

_POSITIVE = (
    *("embedding_size", "local_steps", "local_rate", "epochs", "patience_epochs", "batch_tasks"),
    *("global_rate", "clip_norm", "min_adapt", "top_items", "evidence_items"),
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a training run depends on besides its data.

    The paper's MeLU is `anchor=False, item_identity=False, local_steps=1, learn_local_rates=False,
    dropout=0, global_loss="squared"`.
    """

    version: int = VERSION
    model: str = "melu"
    seed: int = 20260101

    embedding_size: int = 32
    hidden_sizes: tuple[int, ...] = (64, 64)
    anchor: bool = True  # predict what is left over the damped bias, instead of the rating
    item_identity: bool = True  # embed the item itself beside its attributes
    hide_identity: float = 0.15  # share of items whose identity training hides, as a cold one's is
    dropout: float = 0.4  # on the decision layers' input, in training only

    local_steps: int = 3
    local_rate: float = 0.02
    learn_local_rates: bool = True  # Meta-SGD with one rate a layer and step

    epochs: int = 30
    patience_epochs: int = 6  # stop after so many epochs without a better validation MAE
    batch_tasks: int = 32
    # Of the query, in training; the local loss is always squared. MAE is what the gate judges by.
    global_loss: Loss = "absolute"
    global_rate: float = 1e-3
    weight_decay: float = 1.0
    clip_norm: float = 5.0

    min_adapt: int = 3  # fewer support interactions than this are scored by the global model
    top_items: int = 20  # scores published for each cold user
    evidence_items: int = 20  # length of the evidence list

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise UserError(
                f"the model's config has version {self.version}, this code reads {VERSION}; "
                "train the model again, or use the code that trained it."
            )
        for name in _POSITIVE:
            if getattr(self, name) <= 0:
                raise UserError(f"config {name} is {getattr(self, name)}, expected more than 0.")
        for name in ("dropout", "hide_identity"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"config {name} is {getattr(self, name)}, expected 0 <= it < 1.")
        if self.global_loss not in get_args(Loss):
            raise UserError(
                f"config global_loss is {self.global_loss!r}, expected one of {get_args(Loss)}."
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
