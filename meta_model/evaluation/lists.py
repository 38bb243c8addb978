"""Lists of the whole catalogue, judged by what their users then chose and liked.

A held-out user shows the first k items of their support, and a method ranks all candidates: the
items that training knows, less those that the user has met. Two questions can be asked of a list.

- What comes next? Relevant are the liked items of the interactions that directly follow those
  shown; met is what was shown. A list is published for this question (docs/adr/0026).
- What comes in the end? Relevant are the liked query items, which follow the whole support; met is
  the whole support, so that lists of different k are of the same items. Splits without an order of
  time ask this.

Shapes: U users, S support positions, Q query positions, N items, K ranks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from meta_model.data.tasks import Tasks
from meta_model.evaluation import list_metrics
from meta_model.ranking.by_rating import best
from schemas.dataset.spec import Feedback
from schemas.tables.products import LIST_METRICS

KNOWN = (0, 1, 2, 3, 5, 10, 30, None)  # interactions shown; None: all of the support
RANKS = 20


class Ranker(Protocol):
    """Anything that scores the whole catalogue for users with a known support."""

    def scores(self, tasks: Tasks) -> Tensor:
        """[U, N + 1], by item index: the higher, the further up; -inf for what it cannot rank."""
        ...


@dataclass(frozen=True, kw_only=True)
class ListResult:
    """The lists of one method for one number of known interactions.

    users: [U], those with a relevant item; lists: [U, K]; metrics: of each user, [U]
    """

    users: Tensor
    lists: Tensor
    metrics: Mapping[str, Tensor]


def judge(
    ranker: Ranker,
    batches: Sequence[Tasks],
    candidates: Tensor,
    known: int | None,
    liked: float,
    feedback: Feedback = "explicit",
    n_next: int | None = None,
) -> ListResult:
    """The method's lists for the tasks' users when they show `known` interactions.

    candidates: [N + 1], whether an item may be in a list; liked: the least rating of a liked item
    n_next: how many of the following interactions are what comes next; None: the query is judged
    """
    parts = [_judged(ranker, each, candidates, known, liked, feedback, n_next) for each in batches]
    return ListResult(
        users=torch.cat([part.users for part in parts]),
        lists=torch.cat([part.lists for part in parts]),
        metrics={name: torch.cat([part.metrics[name] for part in parts]) for name in LIST_METRICS},
    )


def top(scores: Tensor, k: int) -> Tensor:
    """The items [U, k] of the highest scores, in order; of equal ones the lower index first.

    0 where a user has no further candidate.
    """
    items = best(scores, k)
    return items.masked_fill(scores.gather(1, items) == -torch.inf, 0)


def of_all(
    judged: ListResult, candidates: Tensor, popularity: Tensor
) -> Iterator[tuple[str, float]]:
    """Name and value of what all lists together are: of 20 ranks, and of 10."""
    n_candidates = int(candidates.sum())
    yield "coverage20", list_metrics.coverage(judged.lists, n_candidates)
    yield "overlap10", list_metrics.overlap(judged.lists[:, :10])
    yield "gini20", list_metrics.gini(judged.lists, n_candidates)
    yield "novelty20", list_metrics.novelty(judged.lists, popularity)


def _judged(
    ranker: Ranker,
    tasks: Tasks,
    candidates: Tensor,
    known: int | None,
    liked: float,
    feedback: Feedback,
    n_next: int | None,
) -> ListResult:
    asked, met = tasks.showing(known, feedback), tasks.chosen(feedback).support
    if n_next is not None and known is not None:
        asked = tasks.followed(known, n_next, feedback)
        met = asked.chosen(feedback).support
    relevant = asked.liked_in_query(len(candidates) - 1, liked) & candidates
    has_any = relevant.any(1)
    asked, met, relevant = asked[has_any], met.map(lambda each: each[has_any]), relevant[has_any]
    scores = torch.zeros(0, len(candidates))
    if len(asked):
        # A method is not told what it has to find, not even as items that it could look at.
        scores = ranker.scores(replace(asked, query=asked.query.hidden())).clone()
    scores.scatter_(1, tasks.items[met.rows] * met.mask, -torch.inf)
    scores[:, ~candidates] = -torch.inf
    lists = top(scores, RANKS)
    hits, n_relevant = relevant.gather(1, lists), relevant.sum(1)
    return ListResult(
        users=asked.users,
        lists=lists,
        metrics={
            "ndcg10": list_metrics.ndcg(hits, n_relevant, 10),
            "ndcg20": list_metrics.ndcg(hits, n_relevant, 20),
            "recall20": list_metrics.recall(hits, n_relevant, 20),
            "hr10": list_metrics.hit_rate(hits, 10),
        },
    )
