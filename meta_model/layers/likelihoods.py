"""Likelihoods of ratings given a forecast: the loss, the mean and the median rating.

Shapes: B tasks, N positions, K thresholds between L = K + 1 rating levels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Likelihood(nn.Module, ABC):
    """Distribution of ratings given forecasts [B, N, ...] and threshold offsets [B, K]."""

    @abstractmethod
    def losses(self, forecasts: Tensor, offsets: Tensor, ratings: Tensor) -> Tensor:
        """The global loss of each forecast [B, N]."""

    @abstractmethod
    def expected(self, forecasts: Tensor, offsets: Tensor) -> Tensor:
        """The mean rating [B, N], which minimises the expected squared error."""

    @abstractmethod
    def median(self, forecasts: Tensor, offsets: Tensor) -> Tensor:
        """The median rating [B, N], which minimises the expected absolute error."""


class ScoreLikelihood(Likelihood):
    """A likelihood whose forecasts are latent scores [B, N]; it can be a local update's loss."""

    @abstractmethod
    def gradients(self, scores: Tensor, offsets: Tensor, ratings: Tensor) -> Tensor:
        """The gradient [B, N] of each loss by its score."""


class SquaredError(ScoreLikelihood):
    """Gaussian ratings around the score, which is their mean and median; the squared error."""

    def losses(self, scores: Tensor, _offsets: Tensor, ratings: Tensor) -> Tensor:
        """(score - rating)^2, [B, N]; thresholds play no part."""
        return (scores - ratings).square()

    def gradients(self, scores: Tensor, _offsets: Tensor, ratings: Tensor) -> Tensor:
        """2 (score - rating), [B, N]."""
        return 2 * (scores - ratings)

    def expected(self, scores: Tensor, _offsets: Tensor) -> Tensor:
        """The score itself [B, N], which may lie outside the scale."""
        return scores

    def median(self, scores: Tensor, _offsets: Tensor) -> Tensor:
        """The score itself [B, N], which is not rounded to a level."""
        return scores


class CumulativeLogit(ScoreLikelihood):
    """Ordered levels: P(r > level_k) = sigmoid((score - threshold_k - offset_k) / width).

    The cumulative logit model (McCullagh 1980). Thresholds and width are learnt; each task offsets
    the thresholds by [B, K], as users use the same scale differently (Koren and Sill, RecSys 2011).
    The loss is the mean of the K binary cross entropies (Cao, Mirjalili and Raschka 2020). The
    median is one of the levels.
    """

    def __init__(self, levels: tuple[float, ...]) -> None:
        super().__init__()
        values = torch.tensor(levels)
        self.register_buffer("levels", values, persistent=False)
        self.thresholds = nn.Parameter((values[1:] + values[:-1]) / 2)
        self.log_width = nn.Parameter((values.diff().mean() / 2).log())

    levels: Tensor

    def losses(self, scores: Tensor, offsets: Tensor, ratings: Tensor) -> Tensor:
        """Mean binary cross entropy over the K thresholds, [B, N]."""
        logits, above = self._logits(scores, offsets), self._above(scores, ratings)
        return F.binary_cross_entropy_with_logits(logits, above, reduction="none").mean(-1)

    def gradients(self, scores: Tensor, offsets: Tensor, ratings: Tensor) -> Tensor:
        """Mean of P(r > level_k) - [r > level_k] over k, divided by the width, [B, N]."""
        surprise = self._logits(scores, offsets).sigmoid() - self._above(scores, ratings)
        return surprise.mean(-1) / self.log_width.exp()

    def expected(self, scores: Tensor, offsets: Tensor) -> Tensor:
        """[B, N], within the scale."""
        above = self._logits(scores, offsets).sigmoid()
        return self.levels[0] + (above * self.levels.diff()).sum(-1)

    def median(self, scores: Tensor, offsets: Tensor) -> Tensor:
        """[B, N], each one of the levels, also where learnt thresholds cross."""
        above = self._logits(scores, offsets) > 0
        return self.levels[above.sum(-1)]

    def _above(self, scores: Tensor, ratings: Tensor) -> Tensor:
        """Whether the rating is above level k, [B, N, K]."""
        return (ratings.unsqueeze(-1) > self.levels[:-1]).to(scores.dtype)

    def _logits(self, scores: Tensor, offsets: Tensor) -> Tensor:
        """Logits of P(r > level_k), [B, N, K]."""
        thresholds = self.thresholds + offsets.unsqueeze(1)
        return (scores.unsqueeze(-1) - thresholds) / self.log_width.exp()


class Categorical(Likelihood):
    """Forecasts are the log probabilities of the levels, [B, N, L]; nothing is learnt."""

    def __init__(self, levels: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("levels", torch.tensor(levels), persistent=False)

    levels: Tensor

    def losses(self, forecasts: Tensor, _offsets: Tensor, ratings: Tensor) -> Tensor:
        """The cross entropy."""
        return -forecasts.gather(-1, self.number(ratings).unsqueeze(-1)).squeeze(-1)

    def expected(self, forecasts: Tensor, _offsets: Tensor) -> Tensor:
        """The mean of the levels by their probabilities, [B, N], within the scale."""
        return forecasts.exp() @ self.levels.to(forecasts.dtype)

    def median(self, forecasts: Tensor, _offsets: Tensor) -> Tensor:
        """The median [B, N]: the lowest level with cumulative probability of at least 0.5."""
        below = forecasts.exp().cumsum(-1)[..., :-1] < 0.5
        return self.levels[below.sum(-1)]

    def one_hot(self, ratings: Tensor) -> Tensor:
        """[B, N, L], true at each rating's level; unlike F.one_hot it never waits for a GPU."""
        numbers = torch.arange(len(self.levels), device=ratings.device)
        return self.number(ratings).unsqueeze(-1) == numbers

    def number(self, ratings: Tensor) -> Tensor:
        """The index of each rating's level, 0 for the lowest."""
        return torch.bucketize(ratings, (self.levels[1:] + self.levels[:-1]) / 2)
