"""The training curve of the night's model, from its artefact."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from typing import Any

from jobs.report.night import Night, Part
from schemas.lake import Lake
from schemas.pipeline import META_TRAIN


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch of the curve; None where there were no validation tasks."""

    epoch: int
    train_loss: float | None
    validation_loss: float | None
    validation_mae: float | None
    validation_mae_before: float | None


@dataclass(frozen=True, kw_only=True)
class Training:
    """The curve, and the epoch whose weights were kept."""

    epochs: tuple[Epoch, ...]
    best_epoch: int
    train_tasks: int
    model_version: str


def training(night: Night) -> Part[Training]:
    """Read as files: the package that trains is not for these jobs to import."""
    models = Lake(root=night.settings.models)

    def read() -> Training:
        folder = models.version(night.model, night.ds)
        model = json.loads((folder / "model.json").read_text())
        lines = (folder / "curve.jsonl").read_text().splitlines()
        return Training(
            epochs=tuple(_epoch(json.loads(line)) for line in lines),
            best_epoch=model["best_epoch"],
            train_tasks=model["train_tasks"],
            model_version=model["model_version"],
        )

    is_there = models.manifest(night.model, night.ds) is not None
    return night.part(META_TRAIN.name, read, is_there=is_there)


def _epoch(values: dict[str, Any]) -> Epoch:
    """From a line of the curve, where NaN is a mean over no tasks."""
    known: dict[str, Any] = {
        field.name: None if math.isnan(values[field.name]) else values[field.name]
        for field in fields(Epoch)
    }
    return Epoch(**known)
