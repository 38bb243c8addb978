"""Metrics of recommended lists: of each user's list, and of all lists together.

`meta_model.evaluation.lists` calls each of them; `OF_LISTS` and `OF_ALL_LISTS`
(`schemas.tables.metrics`) declare those that a night publishes.

Relevant are the items of the user's query that they liked. Ranks are of the whole catalogue, never
of sampled negatives, which do not keep the order of two systems (Krichene and Rendle, KDD 2020).

Shapes: U users, K ranks of a list. `hits` [U, K]: whether a rank holds a relevant item.
`n_relevant` [U]: how many relevant items there are. `lists` [U, K]: the items, 0 where a list has
ended.
"""

from __future__ import annotations

import torch
from torch import Tensor


def ndcg(hits: Tensor, n_relevant: Tensor, k: int) -> Tensor:
    """nDCG@k [U] of gains 0 and 1, discount log2(rank + 1) (Jaervelin and Kekaelaeinen 2002)."""
    discounts = 1 / torch.log2(torch.arange(2, k + 2, device=hits.device, dtype=torch.float64))
    hits = hits[:, :k]  # fewer ranks than k where the catalogue is smaller
    gained = (hits * discounts[: hits.shape[1]]).sum(1)
    ideal = discounts.cumsum(0)[n_relevant.clamp(min=1, max=k) - 1]
    return gained / ideal


def recall(hits: Tensor, n_relevant: Tensor, k: int) -> Tensor:
    """Recall@k [U]: the share found of the relevant items, or of k where there are more than k."""
    return hits[:, :k].sum(1).double() / n_relevant.clamp(min=1, max=k)


def hit_rate(hits: Tensor, k: int) -> Tensor:
    """HR@k [U]: 1 where any of the first k items is relevant, else 0."""
    return hits[:, :k].any(1).double()


def coverage(lists: Tensor, n_candidates: int) -> float:
    """The share of the candidates that are in any list."""
    return len(lists[lists > 0].unique()) / n_candidates


def overlap(lists: Tensor) -> float:
    """The share of a list that another user's list holds too, mean over all pairs of users."""
    n_users, k = lists.shape
    shown = lists[lists > 0].bincount().double()
    pairs = n_users * (n_users - 1)
    return float((shown * (shown - 1)).sum() / (pairs * k)) if pairs else 0.0


def gini(lists: Tensor, n_candidates: int) -> float:
    """How unequally the candidates are shown: 0 where all are shown alike, towards 1 where few are.

    The Gini coefficient of the numbers of lists that hold each candidate.
    """
    shown = torch.zeros(n_candidates, dtype=torch.float64)
    counts = lists[lists > 0].bincount().double()
    counts = counts[counts > 0].sort().values
    shown[n_candidates - len(counts) :] = counts
    places = torch.arange(1, n_candidates + 1, dtype=torch.float64)
    total = shown.sum()
    if not total:
        return 0.0
    return float(((2 * places - n_candidates - 1) * shown).sum() / (n_candidates * total))


def novelty(lists: Tensor, popularity: Tensor) -> float:
    """The mean self-information of the items shown, in bits: -log2 of their share of interactions.

    popularity: [N + 1], interactions by item; an item without any counts as one with one
    """
    share = popularity.clamp(min=1).double() / popularity.sum()
    return float(-share[lists[lists > 0]].log2().mean())
