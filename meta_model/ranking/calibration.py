"""From a list's order to probabilities, and from expected ratings to intervals.

    p_like = sigmoid( a + b logit(P(among the next m)) ),   P(next m) = 1 - (1 - P)^m

`a` and `b` are a logistic regression (Platt 1999) on validation users, whom training never saw: of
the items that they would be shown, which ones were among their next m interactions and liked? `P`
is the probability of being the next liked item.

The 80% interval of a rating comes from validation's n errors of U users, in order, e_(1) to e_(n)
(split conformal, Lei et al., JASA 2018):

    score + e_(k)  to  score + e_(n + 1 - k),   k = floor( (n + 1) (1 / 10 - 1 / (U + 1)) )

A user's errors are alike. A new user is one of U + 1, and the errors of that one, which nobody has
measured, may all be outside (Dunn, Wasserman and Ramdas, JASA 2023). So an error of a
user who is drawn as these were is between the two with a probability of 80% or more, however small
n and U are. Training's errors take their place where these lie further out: validation users are
few, and may be easy by chance.

All of it is fitted apart for users of about as many known interactions: the less is known, the
wider. On a later day than all that is known, `a` and `b` are others, whatever the number, and
fitted to training users too (docs/adr/0033).

Shapes: B tasks, K ranks, R rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

SIZES = (0, 1, 3, 10, 30)  # the least known interactions of users who are calibrated together
PRIOR = (0.0, 1.0)  # of a and b: with nothing measured, p_like is P(among the next m)
_OUTSIDE = 10  # of so many errors one is below the interval, and one above
_STEPS, _LEAST_STEP = 50, 1e-10


@dataclass(frozen=True, kw_only=True)
class OfSize:
    """Of users with `n_support` known interactions or more: a, b, and the interval's ends.

    low, high: to be added to the score; None where validation has too few users to tell
    """

    n_support: int
    intercept: float = PRIOR[0]
    slope: float = PRIOR[1]
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """`next_items`: m, how many interactions ahead p_like looks; `sizes` begin with 0 known.

    later: a and b on a later day; None where no task told them
    """

    next_items: int
    sizes: tuple[OfSize, ...] = (OfSize(n_support=0),)
    later: tuple[float, float] | None = None

    def logits(self, log_like: Tensor, n_support: Tensor, is_later: Tensor) -> Tensor:
        """Of p_like [B, K]; -inf where log P is.

        n_support: [B]; is_later: [B], whether the list is of a later day than all that is known
        """
        intercept, slope = (self._of(name, n_support) for name in ("intercept", "slope"))
        if self.later is not None:
            a, b = self.later
            intercept, slope = intercept.masked_fill(is_later, a), slope.masked_fill(is_later, b)
        intercept, slope = intercept.unsqueeze(1), slope.unsqueeze(1)
        logits = intercept + slope * self.logit_of_next(log_like)
        return logits.masked_fill(log_like == -torch.inf, -torch.inf)

    def logit_of_next(self, log_like: Tensor) -> Tensor:
        """The logit of P(among the next m), of log P of being the next one, in float64."""
        # Below 1, so that a sure choice has a finite logit.
        like = log_like.double().exp().clamp(min=1e-12, max=1 - 1e-6)
        missed = self.next_items * torch.log1p(-like)  # log of 1 - P(among the next m)
        return torch.log(-torch.expm1(missed)) - missed

    def bounds(
        self, scores: Tensor, n_support: Tensor, scale: tuple[float, float]
    ) -> tuple[Tensor, Tensor]:
        """Where 80% of ratings lie, low and high [B, K]; NaN where that is not known.

        scale: the lowest and the highest rating that there is
        """
        low, high = ((scores + e.unsqueeze(1)).clamp(*scale) for e in self.ends(n_support))
        return low, high

    def ends(self, n_support: Tensor) -> tuple[Tensor, Tensor]:
        """What is added to users' scores for their lower and upper ends [B]; NaN if not known."""
        return self._of("low", n_support), self._of("high", n_support)

    def to_json(self) -> str:
        """The file `calibration.json` of a model's artefact."""
        return json.dumps(asdict(self), indent=2)

    @staticmethod
    def from_json(text: str) -> Calibration:
        """The inverse of `to_json`."""
        values = json.loads(text)
        sizes = tuple(OfSize(**each) for each in values.pop("sizes"))
        later = values.pop("later", None)
        return Calibration(**values, sizes=sizes, later=None if later is None else tuple(later))

    def _of(self, name: str, n_support: Tensor) -> Tensor:
        """A number of each user's size [B]; NaN for None."""
        known = [getattr(each, name) for each in self.sizes]
        values = [torch.nan if value is None else value for value in known]
        starts = torch.tensor([each.n_support for each in self.sizes], device=n_support.device)
        place = torch.searchsorted(starts, n_support, right=True) - 1
        return torch.tensor(values, device=n_support.device, dtype=torch.float64)[place]


def regressed(logits: Tensor, liked: Tensor) -> tuple[float, float]:
    """a and b by Newton's method, from logits [R] and 0 or 1 [R].

    A normal prior around `PRIOR`, of the weight of one row, keeps few rows from extremes. `b` is
    not below 0: what is further up in a list is never less likely. Where it would be, it is 0, and
    `a` is what fits then.
    """
    features = torch.stack([torch.ones_like(logits), logits], dim=1)
    a, b = _fitted(features, liked, PRIOR)
    return (a, b) if b >= 0 else (_fitted(features[:, :1], liked, PRIOR[:1])[0], 0.0)


def _fitted(features: Tensor, liked: Tensor, around: Sequence[float]) -> list[float]:
    """The weights [W] of features [R, W]."""
    prior = torch.tensor(around, dtype=torch.float64)

    def loss(weights: Tensor) -> Tensor:
        logits = features @ weights
        fit = F.binary_cross_entropy_with_logits(logits, liked, reduction="sum")
        return fit + (weights - prior).square().sum() / 2

    weights = prior.clone()
    for _ in range(_STEPS):
        expected = (features @ weights).sigmoid()
        gradient = features.T @ (expected - liked) + weights - prior
        curvature = features.T * (expected * (1 - expected)) @ features + torch.eye(len(prior))
        step = torch.linalg.solve(curvature.double(), gradient)
        while loss(weights - step) > loss(weights) and step.abs().max() >= _LEAST_STEP:
            step = step / 2  # where the prior is far off, a whole step overshoots
        weights = weights - step
        if step.abs().max() < _LEAST_STEP:
            break
    found: list[float] = weights.tolist()
    return found


class Errors(NamedTuple):
    """Ratings minus scores [R], and how many users gave the ratings."""

    values: Tensor
    n_users: int


def interval(validation: Errors, training: Errors) -> tuple[float | None, float | None]:
    """The outermost ends of 80% of the errors of each; None where validation has too few."""
    own, of_training = _ends(validation), _ends(training)
    if own is None:
        return None, None
    lows, highs = zip(own, of_training or own, strict=True)
    return min(lows), max(highs)


def _ends(errors: Errors) -> tuple[float, float] | None:
    """e_(k) and e_(n + 1 - k) of the errors; None where k is 0."""
    # A new error takes any of the n + 1 places among n others with the same probability: n + 1
    # counts. Quantiles of the n errors would be too narrow: they hold 72% where n is 20.
    places, users = len(errors.values) + 1, errors.n_users + 1
    n_outside = places * (users - _OUTSIDE) // (users * _OUTSIDE)
    if n_outside < 1:
        return None
    low, high = (errors.values.kthvalue(k).values.item() for k in (n_outside, places - n_outside))
    return low, high
