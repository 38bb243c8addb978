"""Metrics of a batch of tasks: each a tensor [B], one value a task; averages come later.

Shapes: B tasks, Q query positions; `mask` is False at padding.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LEAST_PROBABILITY = 1e-6
_LARGEST_GRADE = 10


def mae(predicted: Tensor, ratings: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute error [B] of predictions [B, Q]; NaN for a task without ratings."""
    return ((predicted - ratings).abs() * mask).sum(1) / mask.sum(1)


def rmse(predicted: Tensor, ratings: Tensor, mask: Tensor) -> Tensor:
    """Root of the mean squared error [B] of predictions [B, Q]; NaN for a task without ratings."""
    return (((predicted - ratings).square() * mask).sum(1) / mask.sum(1)).sqrt()


def graded(ratings: Tensor, lowest: float, highest: float) -> Tensor:
    """Ratings as nDCG's gains are made of: themselves on a scale within 0 to 10, as the literature
    has it, and on any other their place between 0, for the lowest level, and 5, for the highest.

    A rating below 0 would have a negative gain, and 2^100 is beyond what a float can tell apart.
    """
    if lowest >= 0 and highest <= _LARGEST_GRADE:
        return ratings
    return (ratings - lowest) * (5 / (highest - lowest))


def ndcg(predicted: Tensor, ratings: Tensor, mask: Tensor, k: int) -> Tensor:
    """nDCG@k by the rank of the predicted score, gain 2^r - 1, discount log2(rank + 1).

    Ties keep the order of the query, which the predictions cannot have chosen
    (Jaervelin and Kekaelaeinen, ACM TOIS 2002; the exponential gain of Burges et al. 2005).
    """
    gains = (2.0**ratings - 1) * mask
    return _dcg(gains, predicted, mask, k) / _dcg(gains, ratings, mask, k).clamp(min=1e-12)


def chance_ndcg(ratings: Tensor, mask: Tensor, k: int) -> Tensor:
    """The nDCG@k that a random order has on average."""
    gains = (2.0**ratings - 1) * mask
    places = torch.arange(1, min(k, gains.shape[1]) + 1, device=gains.device)
    filled = mask.sum(1, keepdim=True) >= places  # a short query fills fewer of the k places
    discounts = (filled / torch.log2(places + 1)).sum(1)
    mean_gain = gains.sum(1) / mask.sum(1)
    return mean_gain * discounts / _dcg(gains, ratings, mask, k).clamp(min=1e-12)


def auc(scores: Tensor, ratings: Tensor, mask: Tensor) -> Tensor:
    """The share of (positive, negative) pairs in which the positive scores higher; ties are half.

    Like the ranks below it asks for a positive and a negative in every task.
    """
    positive, negative = _of_levels(ratings, mask)
    above, ties = _ahead(scores, negative)
    beaten = negative.sum(1, keepdim=True) - above - ties / 2
    return (beaten * positive).sum(1) / (positive.sum(1) * negative.sum(1))


def hit_rate(scores: Tensor, ratings: Tensor, mask: Tensor, k: int) -> Tensor:
    """HR@k: the share of positives among the first k when each is ranked with the negatives alone.

    Ties count as their random orders do on average, so that constant scores have chance's rate.
    """
    return _gain_of_rank(scores, ratings, mask, torch.ones(k, device=scores.device))


def ndcg_of_positives(scores: Tensor, ratings: Tensor, mask: Tensor, k: int) -> Tensor:
    """nDCG@k where each positive is ranked with the negatives alone: 1 / log2(rank + 1), mean.

    Ties count as in `hit_rate`.
    """
    ranks = torch.arange(1, k + 1, device=scores.device)
    return _gain_of_rank(scores, ratings, mask, 1 / torch.log2(ranks + 1))


def log_loss(probabilities: Tensor, ratings: Tensor, mask: Tensor) -> Tensor:
    """The mean cross entropy of the probabilities; 0 and 1 are clamped, so that it is finite."""
    likely = probabilities.clamp(_LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
    losses = -(ratings * likely.log() + (1 - ratings) * (1 - likely).log())
    return (losses * mask).sum(1) / mask.sum(1)


def _of_levels(ratings: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Where the positives are, and where the negatives: [B, Q] each."""
    return mask & (ratings > 0), mask & (ratings == 0)


def _ahead(scores: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
    """How many of the task's negatives score above each place, and how many the same, [B, Q]."""
    own, others = scores.unsqueeze(2), scores.unsqueeze(1)
    is_other = negative.unsqueeze(1)
    return ((others > own) & is_other).sum(2), ((others == own) & is_other).sum(2)


def _gain_of_rank(scores: Tensor, ratings: Tensor, mask: Tensor, gains: Tensor) -> Tensor:
    """The mean over positives of the gain of their rank, [k] for the first ranks and then 0.

    A positive tied with t negatives has any of t + 1 ranks alike: a mean of as many gains.
    """
    positive, negative = _of_levels(ratings, mask)
    above, ties = _ahead(scores, negative)
    up_to = torch.cat([gains.new_zeros(1), gains.cumsum(0)])  # of the first 0, 1, ... k ranks
    first, last = above.clamp(max=len(gains)), (above + ties + 1).clamp(max=len(gains))
    mean_gain = (up_to[last] - up_to[first]) / (ties + 1)
    return (mean_gain * positive).sum(1) / positive.sum(1)


def _dcg(gains: Tensor, scores: Tensor, mask: Tensor, k: int) -> Tensor:
    order = scores.masked_fill(~mask, -torch.inf).argsort(dim=1, descending=True, stable=True)
    top = gains.gather(1, order)[:, :k]
    discounts = torch.log2(torch.arange(2, top.shape[1] + 2, device=gains.device))
    return (top / discounts).sum(1)
