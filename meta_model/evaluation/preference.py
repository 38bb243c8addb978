"""The order that suits a data set: chosen by the lists of validation users.

How a model of choices is regularised, and how much neighbours count beside it, depends on the data.
Where users chose much alike, factors learn more than neighbours remember; where a catalogue is
large and interactions are few, it is the other way round (docs/adr/0029). A model with the lower
loss need not make the better lists (docs/adr/0035). The weight is a multiple of the config's.

Shapes: U users.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from meta_model.data.batching import DRAWN_TASKS, drawn
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.evaluation.by_user import mean_by_user
from meta_model.evaluation.lists import judge
from meta_model.ranking.recommender import Recommender

_OPTION = "choice.neighbour_weight"
_MULTIPLES = (0.5, 2.0, 4.0)
_KNOWN = (1, 3, 10)
_STANDARD_ERRORS = 2.0


@torch.no_grad()
def preferred(recommenders: Sequence[Recommender], inputs: Inputs) -> Recommender:
    """The one, with the weight, whose lists are best for validation users.

    The first one with its config's weight, unless another is better by more than chance explains.
    """
    variants = [variant for each in recommenders for variant in _weights(each)]
    first, *others = variants
    some = drawn(inputs.episodes.split("validation"), DRAWN_TASKS, first.config.seed)
    if not others or not some:
        return first
    return variants[certain_best([_by_user(variant, inputs, some) for variant in variants])]


def _weights(recommender: Recommender) -> Iterator[Recommender]:
    """With its own weight, and with the others in question, if the config asks."""
    yield recommender
    choice = recommender.config.choice
    if choice.weighting == "validated" and choice.neighbour_weight:
        for multiple in _MULTIPLES:
            yield recommender.having({_OPTION: choice.neighbour_weight * multiple})


def certain_best(found: Sequence[Tensor]) -> int:
    """The place of the highest mean over users [U]; the first place unless its lead is certain.

    found: for each place the figure of the same users, in the same order
    """
    best = max(range(len(found)), key=lambda place: found[place].mean().item())
    lead = found[best] - found[0]
    if len(lead) < 2 or lead.mean() <= _STANDARD_ERRORS * lead.std() / len(lead) ** 0.5:
        return 0
    return best


def _by_user(recommender: Recommender, inputs: Inputs, tasks: list[Tasks]) -> Tensor:
    """nDCG@10 of what follows [U], by user, mean over the numbers of interactions shown."""
    # By p_like, whichever order a run asks for. Validation users chose at any time before, when
    # the trend was another one.
    by_p_like = recommender.having({"products.rank_by": "p_like", "choice.trend_weight": 0.0})
    is_trained = inputs.statistics().counts > 0
    n_next = recommender.calibration.next_items
    found = [
        judge(by_p_like, tasks, is_trained, known, inputs.liked_from, inputs.feedback, n_next)
        for known in _KNOWN
    ]
    values = {"ndcg10": [each.metrics["ndcg10"] for each in found]}
    _, by_name = mean_by_user([each.users for each in found], values)
    return by_name["ndcg10"]
