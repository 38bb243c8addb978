"""What our list is worth beside others of its length, by the simulation of `elicitation`.

`random` is what several lists drawn at random give on average, `nothing` what nothing asked gives.
Differences are of the same users' figures, so that their interval is of the paired difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from meta_model.data.inputs import Inputs
from meta_model.evaluation.bootstrap import Bootstrap
from meta_model.evaluation.lists import Ranker
from meta_model.evidence.elicitation import ElicitationResult, elicit, merged_by_user
from meta_model.evidence.item_scores import ItemScores
from meta_model.evidence.lists import LISTS, listed
from meta_model.learners import Learner

LENGTHS = (1, 3, 5, 10, 20)
PUBLISHED, RANDOM, NOTHING = "evidence", "random", "nothing"
_RANDOM_LISTS = 5


@dataclass(frozen=True, kw_only=True)
class EvidenceResult:
    """One list of one length, asked of the same users as the others of that length."""

    name: str
    length: int
    elicited: ElicitationResult
    popularity: ElicitationResult
    nothing: ElicitationResult

    def intervals(self, differences: Iterable[tuple[str, str]]) -> list[tuple[float, float]]:
        """The 95% interval of each mean difference of a metric from another list.

        differences: a field of `ElicitationResult`, and `popularity` or `nothing`
        """
        values = [
            getattr(self.elicited, metric) - getattr(getattr(self, other), metric)
            for metric, other in differences
        ]
        return Bootstrap(n_users=len(self.elicited.users)).intervals(values)


def judge(
    learner: Learner,
    ranker: Ranker,
    inputs: Inputs,
    scores: ItemScores,
    selected: Tensor,
    device: torch.device,
    *,
    min_adapt: int,
    answer_rates: Tensor,
    seed: int,
    members: Tensor | None = None,
    others: Mapping[str, Tensor] = MappingProxyType({}),
) -> Iterator[EvidenceResult]:
    """Every list in every length; none where no test user is left to ask.

    ranker: makes the lists of the catalogue that follow; selected: the list to be published, by
    item index, as long as the longest; members: who is asked, by user index [U + 1], or everyone
    others: more lists to compare with, by item index
    """
    for length in LENGTHS:
        lists = {PUBLISHED: selected[:length]}
        lists |= {name: listed(name, scores, length) for name in LISTS}
        lists |= {name: items[:length] for name, items in others.items()}
        lists |= {NOTHING: selected[:0]}
        drawn = _drawn(scores, length, seed)
        found = elicit(
            learner,
            ranker,
            inputs,
            lists | drawn,
            device,
            min_adapt=min_adapt,
            answer_rates=answer_rates,
            members=members,
        )
        if not found:
            return
        found[RANDOM] = merged_by_user([found.pop(name) for name in drawn])
        for name, elicited in found.items():
            yield EvidenceResult(
                name=name,
                length=length,
                elicited=elicited,
                popularity=found["popularity"],
                nothing=found[NOTHING],
            )


def _drawn(scores: ItemScores, length: int, seed: int) -> dict[str, Tensor]:
    draws = torch.Generator().manual_seed(seed)
    size = len(scores.items)
    return {
        f"{RANDOM} {number}": scores.items[torch.randperm(size, generator=draws)[:length]]
        for number in range(_RANDOM_LISTS)
    }
