"""The training curve of the night's model, from its artefact."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.report.night import Night, Part
from schemas.lake import Lake
from schemas.pipeline import META_TRAIN
from schemas.run.artefact import Epoch, Provenance, read_curve


@dataclass(frozen=True, kw_only=True)
class Training:
    """The curve, and what its model is."""

    epochs: tuple[Epoch, ...]
    model: Provenance


def training(night: Night) -> Part[Training]:
    """Read as files: the package that trains is not for these jobs to import."""
    models = Lake(root=night.settings.models)

    def read() -> Training:
        folder = models.version(night.model, night.ds)
        return Training(epochs=read_curve(folder), model=Provenance.read(folder))

    is_there = models.manifest(night.model, night.ds) is not None
    return night.part(META_TRAIN.name, read, is_there=is_there)
