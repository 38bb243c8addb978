"""From a learner's score to ratings: what to expect, what is likeliest to be close, and the loss.

Shapes: B tasks, N places, K thresholds between K + 1 rating levels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class RatingModel(nn.Module, ABC):
    """How ratings spread around a score [B, N], for tasks that shift the thresholds by [B, K]."""

    @abstractmethod
    def losses(self, scores: Tensor, shift: Tensor, ratings: Tensor) -> Tensor:
        """The global loss of each score [B, N]."""

    @abstractmethod
    def expected(self, scores: Tensor, shift: Tensor) -> Tensor:
        """The mean rating [B, N], which minimises the expected squared error."""

    @abstractmethod
    def median(self, scores: Tensor, shift: Tensor) -> Tensor:
        """The median rating [B, N], which minimises the expected absolute error."""


class PlainRatings(RatingModel):
    """Ratings are numbers with the score for mean and median: the loss is the squared error."""

    def losses(self, scores: Tensor, _shift: Tensor, ratings: Tensor) -> Tensor:
        return (scores - ratings).square()

    def expected(self, scores: Tensor, _shift: Tensor) -> Tensor:
        return scores

    def median(self, scores: Tensor, _shift: Tensor) -> Tensor:
        return scores


class OrdinalRatings(RatingModel):
    """Ratings are levels: P(r > level_k) = sigmoid((score - threshold_k - shift_k) / width).

    Thresholds and width are learnt; a task shifts the thresholds, [B, K], for users read the same
    scale differently (Koren and Sill, RecSys 2011). The loss is the mean of the K binary cross
    entropies (Cao, Mirjalili and Raschka 2020). The median is one of the levels.
    """

    def __init__(self, levels: tuple[float, ...]) -> None:
        super().__init__()
        values = torch.tensor(levels)
        self.register_buffer("levels", values, persistent=False)
        self.thresholds = nn.Parameter((values[1:] + values[:-1]) / 2)
        self.log_width = nn.Parameter((values.diff().mean() / 2).log())

    levels: Tensor

    def losses(self, scores: Tensor, shift: Tensor, ratings: Tensor) -> Tensor:
        above = (ratings.unsqueeze(-1) > self.levels[:-1]).to(scores.dtype)
        logits = self._logits(scores, shift)
        return F.binary_cross_entropy_with_logits(logits, above, reduction="none").mean(-1)

    def expected(self, scores: Tensor, shift: Tensor) -> Tensor:
        """[B, N], within the scale."""
        above = self._logits(scores, shift).sigmoid()
        return self.levels[0] + (above * self.levels.diff()).sum(-1)

    def median(self, scores: Tensor, shift: Tensor) -> Tensor:
        """[B, N], each one of the levels."""
        above = self._logits(scores, shift) > 0
        return self.levels[0] + (above * self.levels.diff()).sum(-1)

    def _logits(self, scores: Tensor, shift: Tensor) -> Tensor:
        """Of P(r > level_k), [B, N, K]."""
        thresholds = self.thresholds + shift.unsqueeze(1)
        return (scores.unsqueeze(-1) - thresholds) / self.log_width.exp()
