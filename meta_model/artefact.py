"""The model artefact: one folder a run, replaced whole, that says what it was trained on.

weights.safetensors, config.json, model.json (provenance), curve.jsonl
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_weights
from safetensors.torch import save as pack_weights

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.learners import Learner, create
from meta_model.training.checkpoint import curve_lines
from meta_model.training.meta_train import Trained
from schemas.errors import UserError
from schemas.lake import Lake


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What a model is, for the tables made with it."""

    ds: str
    model: str
    model_version: str
    vocabulary_checksum: str
    best_epoch: int
    train_tasks: int

    @property
    def run_id(self) -> str:
        return f"{self.ds}.{self.model}.{self.model_version}"


def save(models: Path, ds: date, config: Config, inputs: Inputs, trained: Trained) -> Provenance:
    """Replace the artefact of this `ds` and model."""
    state = trained.learner.state_dict()
    weights = pack_weights({name: tensor.contiguous().cpu() for name, tensor in state.items()})
    provenance = Provenance(
        ds=str(ds),
        model=config.model,
        model_version=hashlib.sha256(weights).hexdigest()[:12],
        vocabulary_checksum=inputs.vocabulary_checksum,
        best_epoch=trained.best_epoch,
        train_tasks=inputs.episodes.split("train").n_tasks,
    )
    with Lake(root=models).replacing(config.model, ds) as draft:
        (draft.path / "weights.safetensors").write_bytes(weights)
        (draft.path / "config.json").write_text(config.to_json() + "\n")
        (draft.path / "model.json").write_text(json.dumps(asdict(provenance), indent=2) + "\n")
        (draft.path / "curve.jsonl").write_text(curve_lines(trained.curve))
        draft.rows = provenance.train_tasks
    return provenance


def load(
    models: Path, ds: date, model: str, inputs: Inputs, device: torch.device
) -> tuple[Learner, Config, Provenance]:
    """The model trained for `ds`; a `UserError` when it is not whole or not of these inputs."""
    folder = Lake(root=models).require(model, ds, made_by="train")
    provenance = Provenance(**json.loads((folder / "model.json").read_text()))
    config = Config.from_json((folder / "config.json").read_text())
    if provenance.vocabulary_checksum != inputs.vocabulary_checksum:
        raise UserError(
            f"{folder} was trained on the vocabulary {provenance.vocabulary_checksum[:12]}, and "
            f"the lake's for ds {ds} is {inputs.vocabulary_checksum[:12]}; train again after "
            "build-profiles."
        )
    weights = (folder / "weights.safetensors").read_bytes()
    digest = hashlib.sha256(weights).hexdigest()[:12]
    if digest != provenance.model_version:
        raise UserError(
            f"{folder}/weights.safetensors has the version {digest}, expected "
            f"{provenance.model_version}: the file is cut or altered. Train again."
        )
    learner = create(config, inputs)
    try:
        learner.load_state_dict(load_weights(weights))
    except (RuntimeError, SafetensorError) as error:
        raise UserError(f"{folder} does not fit this code and these inputs: {error}") from error
    return learner.to(device), config, provenance
