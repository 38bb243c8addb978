"""The model artefact: one folder a run, replaced whole, that says what it was trained on.

weights.safetensors of the learner of ratings, choice.safetensors of the model of choices,
calibration.json, config.json, model.json (provenance), curve.jsonl, numbering.parquet (the keys of
the rows of its embedding tables)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_weights
from safetensors.torch import save as pack_weights
from torch import nn

from meta_model.artefact.row_alignment import aligned, row_keys
from meta_model.choice.training import untrained
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.learners import Learner, create, method_config
from meta_model.ranking.calibration import Calibration
from meta_model.ranking.recommender import Recommender
from meta_model.training.meta_train import Trained
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import BUILD_PROFILES, META_TRAIN, PUBLISH
from schemas.run.artefact import Provenance, write_curve
from schemas.run.decision import CHAMPIONS

_ROW_KEYS = "numbering.parquet"
# What a model is: its version is their digest, one after the other.
_PARTS = ("weights.safetensors", "choice.safetensors", "calibration.json")


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A trained model, ready for the inputs it was loaded with."""

    recommender: Recommender
    provenance: Provenance

    @property
    def learner(self) -> Learner:
        """The learner of ratings, with the weights that were saved."""
        return self.recommender.learner

    @property
    def config(self) -> Config:
        """The config that the model was trained with."""
        return self.recommender.config


def save(
    models: Path, ds: date, inputs: Inputs, trained: Trained, recommender: Recommender
) -> Provenance:
    """Replace the artefact of this `ds` and model; `trained`: how the learner came about."""
    config = recommender.config
    models_packed = map(_packed, (recommender.learner, recommender.choice))
    calibration = recommender.calibration.to_json().encode()
    parts = dict(zip(_PARTS, (*models_packed, calibration), strict=True))
    provenance = Provenance(
        ds=str(ds),
        model=config.model,
        model_version=_version(parts.values()),
        vocabulary_checksum=inputs.vocabulary_checksum,
        best_epoch=trained.best_epoch,
        train_tasks=inputs.episodes.split("train").n_tasks,
    )
    with Lake(root=models).replacing(config.model, ds) as draft:
        for name, part in parts.items():
            (draft.path / name).write_bytes(part)
        (draft.path / "config.json").write_text(config.to_json() + "\n")
        provenance.write(draft.path)
        write_curve(draft.path, trained.curve)
        pq.write_table(row_keys(inputs), draft.path / _ROW_KEYS)
        draft.rows = provenance.train_tasks
    return provenance


def load(models: Path, ds: date, model: str, inputs: Inputs, device: torch.device) -> Loaded:
    """The model trained for `ds`; a `UserError` when it is not whole or not of these inputs."""
    folder = Lake(root=models).require(model, ds, made_by=META_TRAIN)
    provenance = Provenance.read(folder)
    if provenance.vocabulary_checksum != inputs.vocabulary_checksum:
        raise UserError(
            f"{folder} was trained on the vocabulary {provenance.vocabulary_checksum[:12]}, and "
            f"the lake's for ds {ds} is {inputs.vocabulary_checksum[:12]}; train again after "
            f"{BUILD_PROFILES.name}."
        )
    return _loaded(folder, provenance, inputs, None, device)


def load_champion(published: Path, day: date, inputs: Inputs, device: torch.device) -> Loaded:
    """The model that was published for `day`, for the inputs of a later one.

    What it has not met is to it as what the vocabulary lacks.
    """
    folder = Lake(root=published).require(CHAMPIONS, day, made_by=PUBLISH)
    then = pq.read_table(folder / _ROW_KEYS)
    return _loaded(folder, Provenance.read(folder), inputs, then, device)


def _loaded(
    folder: Path,
    provenance: Provenance,
    inputs: Inputs,
    then: pa.Table | None,
    device: torch.device,
) -> Loaded:
    config = Config.from_json((folder / "config.json").read_text(), method_config)
    try:
        packed = {name: (folder / name).read_bytes() for name in _PARTS}
    except FileNotFoundError as error:
        raise UserError(f"{error.filename} is missing. Train again.") from None
    if (digest := _version(packed.values())) != provenance.model_version:
        raise UserError(
            f"{' and '.join(_PARTS)} of {folder} have the version {digest}, expected "
            f"{provenance.model_version}: a file is cut or altered. Train again."
        )
    learner, choice = create(config, inputs), untrained(config, inputs)
    try:
        _fill(learner, packed[_PARTS[0]], inputs, then)
        _fill(choice, packed[_PARTS[1]], inputs, then)
    except (RuntimeError, KeyError, SafetensorError) as error:
        raise UserError(f"{folder} does not fit this code and these inputs: {error}") from error
    recommender = Recommender.of(learner, choice, config, inputs, device)
    calibration = Calibration.from_json(packed[_PARTS[2]].decode())
    recommender = replace(recommender, calibration=calibration)
    return Loaded(recommender=recommender, provenance=provenance)


def _packed(model: nn.Module) -> bytes:
    state = model.state_dict()
    return pack_weights({name: tensor.contiguous().cpu() for name, tensor in state.items()})


def _version(parts: Iterable[bytes]) -> str:
    """The first 12 hex digits of the parts' SHA-256."""
    return hashlib.sha256(b"".join(parts)).hexdigest()[:12]


def _fill(model: nn.Module, packed: bytes, inputs: Inputs, then: pa.Table | None) -> None:
    """Load the weights; `then`: their row keys, None: those of the inputs."""
    weights = load_weights(packed)
    if then is not None:
        weights = aligned(weights, model, then, row_keys(inputs))
    model.load_state_dict(weights)
