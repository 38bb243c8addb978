"""What an analyst asks about each item of a list: what it adds, who can answer, what is new in it.

Shapes: U users, N items, K ranks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.choice.ridge import Ridge
from meta_model.evaluation import list_metrics
from meta_model.evaluation.lists import top
from meta_model.evidence.existing import Existing
from meta_model.evidence.selection import Search

_USERS = 1_000  # whose recommendations are made, for each rank: enough for a mean
_CELLS = 2**22  # logits that are held at once


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Of each rank, [K]: the columns of these names in EVIDENCE_ITEMS."""

    expected_gain: Tensor
    answer_rate: Tensor
    redundancy: Tensor


@torch.no_grad()
def explained(model: Ridge, existing: Existing, items: Tensor) -> Explained:
    """Of a list of candidates, by item index [K], asked of existing users in its order.

    No item of the list is recommended at any rank, so that ranks are compared on the same items.
    """
    columns = [int((existing.candidates == item).nonzero()) for item in items]
    search = Search(model, existing)
    redundancy = []
    for column in columns:
        redundancy.append(search.redundancy(column))
        search.ask(column)
    return Explained(
        expected_gain=_gains(model, existing, items, columns),
        answer_rate=existing.knows.double().mean(0)[columns].cpu(),
        redundancy=torch.tensor(redundancy, dtype=torch.float64),
    )


def _gains(model: Ridge, existing: Existing, items: Tensor, columns: list[int]) -> Tensor:
    """How far the mean nDCG@10 of recommendations rises by asking up to each rank, [K]."""
    some = torch.arange(len(existing), device=existing.users.device) < _USERS
    search = Search(model, existing.among(some))
    search.is_left[items.to(search.is_left.device)] = False
    relevant = torch.zeros(len(search.existing), len(search.is_left), dtype=torch.bool)
    relevant[search.existing.liked_rows.cpu(), search.existing.liked_items.cpu()] = True
    relevant &= search.is_left.cpu()
    means = [_ndcg10(search, relevant)]
    for column in columns:
        search.ask(column)
        means.append(_ndcg10(search, relevant))
    return torch.stack(means[1:]) - means[0]


def _ndcg10(search: Search, relevant: Tensor) -> Tensor:
    """The mean over the users who have anything relevant [U, N + 1]; 0 where nobody has."""
    left = torch.where(search.is_left, 0.0, -torch.inf)
    size = max(1, _CELLS // len(left))
    found = [torch.zeros(0, dtype=torch.float64)]
    for rows in torch.arange(len(relevant)).split(size):
        logits = search.model.logits(search.posterior.means[rows], search.items) + left
        hits = relevant[rows].gather(1, top(logits.cpu(), 10))
        found.append(list_metrics.ndcg(hits, relevant[rows].sum(1), 10))
    of_some = torch.cat(found)[relevant.any(1)]
    return of_some.mean() if len(of_some) else torch.zeros((), dtype=torch.float64)
