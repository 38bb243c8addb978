"""Lists by the model of choices alone: no neighbours, no trend, no ratings."""

from __future__ import annotations

import torch
from torch import Tensor

from meta_model.choice.model import LIKE, ChoiceModel
from meta_model.data.tasks import Tasks


class OfFactors:
    """What the model of choices alone recommends, without neighbours: chosen next, and liked."""

    def __init__(self, model: ChoiceModel) -> None:
        self.model = model.eval()

    @torch.no_grad()
    def scores(self, tasks: Tasks) -> Tensor:
        """Log probabilities [U, N + 1] of a liked choice by factors alone."""
        scores: Tensor = self.model(tasks)[LIKE]
        return scores
