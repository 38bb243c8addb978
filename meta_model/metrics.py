"""Metrics of a batch of tasks: each a tensor [B], one value a task; averages come later.

Shapes: B tasks, Q query places; `mask` is False at padding.
"""

from __future__ import annotations

import torch
from torch import Tensor


def mae(predicted: Tensor, ratings: Tensor, mask: Tensor) -> Tensor:
    return ((predicted - ratings).abs() * mask).sum(1) / mask.sum(1)


def rmse(predicted: Tensor, ratings: Tensor, mask: Tensor) -> Tensor:
    return (((predicted - ratings).square() * mask).sum(1) / mask.sum(1)).sqrt()


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


def _dcg(gains: Tensor, scores: Tensor, mask: Tensor, k: int) -> Tensor:
    order = scores.masked_fill(~mask, -torch.inf).argsort(dim=1, descending=True, stable=True)
    top = gains.gather(1, order)[:, :k]
    discounts = torch.log2(torch.arange(2, top.shape[1] + 2, device=gains.device))
    return (top / discounts).sum(1)
