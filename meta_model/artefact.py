"""The model artefact: one folder a run, replaced whole, that says what it was trained on.

weights.safetensors, config.json, model.json (provenance), curve.jsonl, numbering.parquet (whom
the rows of its tables stand for)
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_weights
from safetensors.torch import save as pack_weights

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.learners import Learner, create
from meta_model.numbering import numbering, renumbered
from meta_model.training.checkpoint import curve_lines
from meta_model.training.meta_train import Trained
from schemas.decision import CHAMPIONS
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.run_id import RunId

_NUMBERING = "numbering.parquet"


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
    def run_id(self) -> RunId:
        ds = date.fromisoformat(self.ds)
        return RunId(ds=ds, model=self.model, version=self.model_version)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A trained model, ready for the inputs it was loaded with."""

    learner: Learner
    config: Config
    provenance: Provenance


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
        pq.write_table(numbering(inputs), draft.path / _NUMBERING)
        draft.rows = provenance.train_tasks
    return provenance


def load(models: Path, ds: date, model: str, inputs: Inputs, device: torch.device) -> Loaded:
    """The model trained for `ds`; a `UserError` when it is not whole or not of these inputs."""
    folder = Lake(root=models).require(model, ds, made_by="train")
    provenance = _provenance(folder)
    if provenance.vocabulary_checksum != inputs.vocabulary_checksum:
        raise UserError(
            f"{folder} was trained on the vocabulary {provenance.vocabulary_checksum[:12]}, and "
            f"the lake's for ds {ds} is {inputs.vocabulary_checksum[:12]}; train again after "
            "build-profiles."
        )
    return _loaded(folder, provenance, inputs, None, device)


def load_champion(published: Path, day: date, inputs: Inputs, device: torch.device) -> Loaded:
    """The model that was published for `day`, for the inputs of a later one.

    What it has not met is to it as what the vocabulary lacks.
    """
    folder = Lake(root=published).require(CHAMPIONS, day, made_by="publish")
    then = pq.read_table(folder / _NUMBERING)
    return _loaded(folder, _provenance(folder), inputs, then, device)


def _loaded(
    folder: Path,
    provenance: Provenance,
    inputs: Inputs,
    then: pa.Table | None,
    device: torch.device,
) -> Loaded:
    config = Config.from_json((folder / "config.json").read_text())
    packed = (folder / "weights.safetensors").read_bytes()
    digest = hashlib.sha256(packed).hexdigest()[:12]
    if digest != provenance.model_version:
        raise UserError(
            f"{folder}/weights.safetensors has the version {digest}, expected "
            f"{provenance.model_version}: the file is cut or altered. Train again."
        )
    learner = create(config, inputs)
    try:
        weights = load_weights(packed)
        if then is not None:
            weights = renumbered(weights, learner, then, numbering(inputs))
        learner.load_state_dict(weights)
    except (RuntimeError, KeyError, SafetensorError) as error:
        raise UserError(f"{folder} does not fit this code and these inputs: {error}") from error
    return Loaded(learner=learner.to(device), config=config, provenance=provenance)


def _provenance(folder: Path) -> Provenance:
    return Provenance(**json.loads((folder / "model.json").read_text()))
