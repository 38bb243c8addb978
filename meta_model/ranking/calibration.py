"""From a choice's probability and an expected rating to probabilities that mean what they say.

    p_like = sigmoid( a + b logit(P(among the next m)) + c score ),   P(next m) = 1 - (1 - P)^m

`a`, `b` and `c` are a logistic regression (Platt 1999) on validation users, whom training never
saw: of their candidates, which ones were among their next m interactions and liked? `P` is the
choice model's, `score` the expected rating of the learner. An 80% interval of a rating is its score
and the 10% and 90% quantiles of validation's errors (split conformal, Lei et al., JASA 2018). All
of it is fitted apart for users of about as many known interactions: the less is known, the less a
score says.

Shapes: B tasks, C candidates, R rows.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

SIZES = (0, 1, 3, 10, 30)  # the least known interactions of users who are calibrated together
PRIOR = (0.0, 1.0, 0.0)  # of a, b, c: with nothing measured, p_like is P(among the next m)
_QUANTILES = (0.1, 0.9)
_LEAST_ERRORS = 20  # of fewer there is no interval
_STEPS = 50


@dataclass(frozen=True, kw_only=True)
class OfSize:
    """Of users with `n_support` known interactions or more: a, b, c, and the interval's ends.

    low, high: to be added to the score; None where validation has too few ratings to tell
    """

    n_support: int
    intercept: float = PRIOR[0]
    of_choice: float = PRIOR[1]
    of_score: float = PRIOR[2]
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """`next_items`: m, how many interactions ahead p_like looks; `sizes` begin with 0 known."""

    next_items: int
    sizes: tuple[OfSize, ...] = (OfSize(n_support=0),)

    def logits(self, log_choice: Tensor, scores: Tensor, n_support: Tensor) -> Tensor:
        """Of p_like [B, C], of users with n_support [B]; -inf where log P(choice) is."""
        names = ("intercept", "of_choice", "of_score")
        weights = torch.stack([self._of(name, n_support) for name in names], dim=1)  # [B, 3]
        logits = torch.einsum("bcf,bf->bc", self.features(log_choice, scores), weights)
        return logits.masked_fill(log_choice == -torch.inf, -torch.inf)

    def features(self, log_choice: Tensor, scores: Tensor) -> Tensor:
        """1, the logit of P(among the next m), and the score: [B, C, 3]."""
        # Below 1, so that a sure choice has a finite logit.
        choice = log_choice.double().exp().clamp(min=1e-12, max=1 - 1e-6)
        missed = self.next_items * torch.log1p(-choice)  # log of 1 - P(among the next m)
        logit = torch.log(-torch.expm1(missed)) - missed
        return torch.stack([torch.ones_like(logit), logit, scores.double()], dim=-1)

    def bounds(
        self, scores: Tensor, n_support: Tensor, scale: tuple[float, float]
    ) -> tuple[Tensor, Tensor]:
        """Where 80% of ratings lie, low and high [B, C]; NaN where that is not known.

        scale: the lowest and the highest rating that there is
        """
        ends = (self._of(name, n_support).unsqueeze(1) for name in ("low", "high"))
        low, high = ((scores + end).clamp(*scale) for end in ends)
        return low, high

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)

    @staticmethod
    def from_json(text: str) -> Calibration:
        values = json.loads(text)
        sizes = tuple(OfSize(**each) for each in values.pop("sizes"))
        return Calibration(**values, sizes=sizes)

    def _of(self, name: str, n_support: Tensor) -> Tensor:
        """A number of each user's size [B]; NaN for None."""
        known = [getattr(each, name) for each in self.sizes]
        values = [torch.nan if value is None else value for value in known]
        starts = torch.tensor([each.n_support for each in self.sizes], device=n_support.device)
        place = torch.searchsorted(starts, n_support, right=True) - 1
        return torch.tensor(values, device=n_support.device, dtype=torch.float64)[place]


def regressed(features: Tensor, liked: Tensor) -> tuple[float, float, float]:
    """a, b and c by Newton's method, from features [R, 3] and 0 or 1 [R].

    A normal prior around `PRIOR`, of the weight of one row, keeps few rows from extremes.
    """
    prior = torch.tensor(PRIOR, dtype=torch.float64)
    weights = prior.clone()
    for _ in range(_STEPS):
        expected = (features @ weights).sigmoid()
        gradient = features.T @ (expected - liked) + weights - prior
        curvature = features.T * (expected * (1 - expected)) @ features + torch.eye(3).double()
        step = torch.linalg.solve(curvature, gradient)
        weights = weights - step
        if step.abs().max() < 1e-10:
            break
    a, b, c = weights.tolist()
    return a, b, c


def interval(errors: Tensor) -> tuple[float | None, float | None]:
    """The ends of 80% of the errors [R], rating minus score; None of too few."""
    if len(errors) < _LEAST_ERRORS:
        return None, None
    low, high = torch.quantile(errors, torch.tensor(_QUANTILES, dtype=errors.dtype)).tolist()
    return low, high
