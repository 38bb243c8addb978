"""Statistics of each rank of a list: expected gain, answer rate and redundancy.

Shapes: U users, N items, K ranks.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.choice.model import ChoiceModel
from meta_model.evaluation import list_metrics
from meta_model.evaluation.lists import top
from meta_model.evidence.existing import Existing
from meta_model.evidence.search import Search

_USERS = 1_000  # whose recommendations are made, for each rank: enough for a mean


@dataclass(frozen=True, kw_only=True)
class RankStatistics:
    """The columns of these names in EVIDENCE_ITEMS, [K] each."""

    expected_gain: Tensor
    answer_rate: Tensor
    redundancy: Tensor


@torch.no_grad()
def rank_statistics(model: ChoiceModel, existing: Existing, items: Tensor) -> RankStatistics:
    """Statistics of a list of candidates, by item index [K], asked of existing users in its order.

    No item of the list is recommended at any rank, so that ranks are compared on the same items.
    """
    columns = [int((existing.candidates == item).nonzero()) for item in items]
    search = Search(model, existing)
    search.is_left[items.to(search.is_left.device)] = False
    relevant = _relevant(search)
    redundancy, ndcg10 = [], [_ndcg10(search, relevant)]
    for column in columns:
        redundancy.append(search.redundancy(column))
        search.ask(column)
        ndcg10.append(_ndcg10(search, relevant))
    return RankStatistics(
        expected_gain=torch.stack(ndcg10[1:]) - ndcg10[0],
        answer_rate=existing.knows.double().mean(0)[columns].cpu(),
        redundancy=torch.tensor(redundancy, dtype=torch.float64),
    )


def _relevant(search: Search) -> Tensor:
    """What the first users like of all that may be recommended, [U, N + 1]."""
    rows, items = search.existing.liked_rows.cpu(), search.existing.liked_items.cpu()
    n_users, some = min(_USERS, len(search.existing)), rows < _USERS
    relevant = torch.zeros(n_users, len(search.is_left), dtype=torch.bool)
    relevant[rows[some], items[some]] = True
    return relevant & search.is_left.cpu()


def _ndcg10(search: Search, relevant: Tensor) -> Tensor:
    """The mean over the users who have anything relevant [U, N + 1]; 0 where nobody has."""
    blocks = search.logits(search.posterior.means[: len(relevant)])
    hits = relevant.gather(1, torch.cat([top(block.cpu(), 10) for block in blocks]))
    has_any = relevant.any(1)
    values = list_metrics.ndcg(hits, relevant.sum(1), 10)[has_any]
    return values.mean() if len(values) else torch.zeros((), dtype=torch.float64)
