"""Checkpoints: a killed training run resumes after its last complete epoch.

After every epoch one file is replaced whole. A run resumes from it only if it is the same run: same
config, same inputs, same number of shards and threads, same PyTorch, and weights of the same names
and shapes, which newer code may have changed. All randomness is seeded by epoch and step
(`global_update`), so that weights and the optimizer's state are all there is to save, and the
resumed run ends with the weights that the undisturbed one would have had.
"""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from meta_model.learners import Learner
from schemas.run.artefact import Epoch, write_curve

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Run:
    """A training run so far: the curve, and the weights of its best epoch."""

    curve: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    best_weights: dict[str, Any] = field(default_factory=dict)

    @property
    def best_loss(self) -> float:
        """The lowest validation loss so far; infinity before the first epoch."""
        return self.curve[self.best_epoch - 1].validation_loss if self.best_epoch else float("inf")


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """The folder of one run's checkpoint and curve; `identity` is what makes it the same run."""

    folder: Path
    identity: str

    def save(self, run: Run, learner: Learner, optimizer: torch.optim.Optimizer) -> None:
        """Replace the checkpoint by one atomic rename; a kill leaves the one before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "identity": self._identity_of(learner, optimizer),
            "curve": [asdict(epoch) for epoch in run.curve],
            "best_epoch": run.best_epoch,
            "best_weights": run.best_weights,
            "weights": learner.state_dict(),
            "optimizer": optimizer.state_dict(),
        }
        temporary = self._file.with_suffix(f".{os.getpid()}")
        torch.save(state, temporary)
        temporary.replace(self._file)
        write_curve(self.folder, run.curve)

    def restore(self, learner: Learner, optimizer: torch.optim.Optimizer) -> Run:
        """The run that was interrupted, with its learner and optimizer put back; or a new one."""
        if not self._file.exists():
            return Run()
        device = next(learner.parameters()).device
        try:
            state = torch.load(self._file, map_location=device, weights_only=True)
        except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
            log.warning("%s cannot be read (%s); starting from the first epoch", self._file, error)
            return Run()
        if state["identity"] != self._identity_of(learner, optimizer):
            log.info(
                "%s is of another run (other inputs, settings or code); starting from the first "
                "epoch",
                self._file,
            )
            return Run()
        learner.load_state_dict(state["weights"])
        optimizer.load_state_dict(state["optimizer"])
        curve = [Epoch(**line) for line in state["curve"]]
        log.info("going on after epoch %d of an interrupted run (%s)", len(curve), self._file)
        return Run(curve=curve, best_epoch=state["best_epoch"], best_weights=state["best_weights"])

    def remove(self) -> None:
        """Delete the folder once the model is saved; no error if there is none."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _identity_of(self, learner: Learner, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """`identity`, and what the code has to agree on with a checkpoint before it loads any."""
        return {
            "run": self.identity,
            "weights": {name: list(of.shape) for name, of in learner.state_dict().items()},
            "groups": [len(group["params"]) for group in optimizer.param_groups],
            "curve": [each.name for each in fields(Epoch)],
        }

    @property
    def _file(self) -> Path:
        return self.folder / "checkpoint.pt"
