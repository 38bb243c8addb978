"""What the steps after training share: the inputs of a day, and the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import torch

from meta_model.artefact import artefact
from meta_model.artefact.artefact import Loaded
from meta_model.data.inputs import Inputs, load
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import EVALUATE, GATE, META_TRAIN
from schemas.run import decision
from schemas.run.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Night:
    """What the steps after training share: the inputs of `ds`, and a model that fits them."""

    settings: Settings
    ds: date
    device: torch.device
    inputs: Inputs
    loaded: Loaded

    @property
    def lake(self) -> Lake:
        """The lake that the step reads and writes."""
        return Lake(root=self.settings.lake)

    def having_set(self, options: Sequence[str]) -> Night:
        """With other options of the products than in training, `products.top_items=5`."""
        config = self.loaded.config.having_set(options)
        if replace(config, products=self.loaded.config.products) != self.loaded.config:
            raise UserError(
                f"--set {' '.join(options)}: expected options of the products alone, as in "
                f"products.top_items=5. The others are the model's: give them to {META_TRAIN.name}."
            )
        recommender = replace(self.loaded.recommender, config=config)
        return replace(self, loaded=replace(self.loaded, recommender=recommender))


def open_trained(settings: Settings, ds: date, device: torch.device, model: str) -> Night:
    """With the model that was trained for `ds`."""
    inputs = load(Lake(root=settings.lake), ds)
    loaded = artefact.load(settings.models, ds, model, inputs, device)
    return Night(settings=settings, ds=ds, device=device, inputs=inputs, loaded=loaded)


def open_chosen(settings: Settings, ds: date, device: torch.device, model: str) -> Night:
    """With the model that the gate chose for `ds`: that one, or the one published last before."""
    decided, run = decision.require(settings, ds, model)
    if decided.verdict == "challenger":
        night = open_trained(settings, ds, device, model)
    else:
        day = decision.day_of(settings, ds, run)
        if day is None:
            raise UserError(
                f"the published model {run} is gone. Run the step {GATE.name} again: "
                f"{GATE.command(ds, model)}"
            )
        inputs = load(Lake(root=settings.lake), ds)
        loaded = artefact.load_champion(settings.published, day, inputs, device)
        night = Night(settings=settings, ds=ds, device=device, inputs=inputs, loaded=loaded)
    if (found := night.loaded.provenance.run_id) != run:
        raise UserError(
            f"the gate of ds {ds} chose {run}, but the model is now {found}. Run the steps "
            f"{EVALUATE.name} and {GATE.name} again."
        )
    return night
