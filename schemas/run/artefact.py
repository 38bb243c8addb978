"""The files of a trained model that more than one package reads: `model.json`, `curve.jsonl`.

All else in the artefact is between `meta_model` and itself (meta_model/artefact/artefact.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from schemas.errors import UserError
from schemas.run.run_id import RunId

_MODEL, _CURVE = "model.json", "curve.jsonl"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """`model.json`: what a model is, for the tables made with it.

    best_epoch: whose weights were kept; train_tasks: how many each epoch saw
    """

    ds: str
    model: str
    model_version: str
    vocabulary_checksum: str
    best_epoch: int
    train_tasks: int

    @property
    def run_id(self) -> RunId:
        """The name of the training run; raises `ValueError` if `ds` is no date."""
        ds = date.fromisoformat(self.ds)
        return RunId(ds=ds, model=self.model, version=self.model_version)

    def write(self, folder: Path) -> None:
        """Write `model.json` into the folder of the artefact."""
        (folder / _MODEL).write_text(json.dumps(asdict(self), indent=2) + "\n")

    @staticmethod
    def read(folder: Path) -> Provenance:
        """What `folder` says of its model; a `UserError` when it does not."""
        try:
            return Provenance(**json.loads((folder / _MODEL).read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise _unreadable(folder / _MODEL, error) from None


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """A line of `curve.jsonl`; what is of validation is a mean over its tasks, NaN without any.

    padding_share: of the positions computed, the share of padding
    """

    epoch: int
    train_loss: float
    validation_loss: float
    validation_mae: float
    validation_mae_before: float
    padding_share: float


def write_curve(folder: Path, curve: Iterable[Epoch]) -> None:
    """Write `curve.jsonl`, a line for each epoch, into the folder of the artefact."""
    lines = "".join(json.dumps(asdict(epoch)) + "\n" for epoch in curve)
    (folder / _CURVE).write_text(lines)


def read_curve(folder: Path) -> tuple[Epoch, ...]:
    """The epochs that `folder` has; a `UserError` when it has none that can be read."""
    try:
        lines = (folder / _CURVE).read_text().splitlines()
        return tuple(Epoch(**json.loads(line)) for line in lines)
    except (OSError, ValueError, TypeError) as error:
        raise _unreadable(folder / _CURVE, error) from None


def _unreadable(file: Path, error: Exception) -> UserError:
    return UserError(
        f"{file} is missing, cut or of another version of this code: {error}. Train again."
    )
