"""The neighbours' weight that suits a data set: chosen by the lists of validation users.

Where users chose much alike, factors learn more than neighbours remember. Where a catalogue is
large and interactions are few, it is the other way round (docs/adr/0029). The weight is a multiple
of the config's, and stays as it is unless another one is better by more than chance explains.

Shapes: U users.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from meta_model.data.batching import DRAWN_TASKS, drawn
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.evaluation.by_user import mean_by_user
from meta_model.evaluation.lists import judge
from meta_model.ranking.recommender import Recommender

_OPTION = "choice.neighbour_weight"
_MULTIPLES = (1.0, 0.5, 2.0, 4.0)  # the config's weight first
_KNOWN = (1, 3, 10)
_STANDARD_ERRORS = 2.0


@torch.no_grad()
def weighted(recommender: Recommender, inputs: Inputs) -> Recommender:
    """The same with the weight whose lists are best for validation users, if the config asks."""
    choice = recommender.config.choice
    if choice.weighting == "given" or not choice.neighbour_weight:
        return recommender
    validation = inputs.episodes.split("validation")
    some = drawn(validation, DRAWN_TASKS, recommender.config.seed)
    if not some:
        return recommender
    # The weight is of the order by p_like, whichever order a run asks for. Validation users chose
    # at any time before, when the trend was another one.
    judged = recommender.having({"products.rank_by": "p_like", "choice.trend_weight": 0.0})
    found = {
        weight: _by_user(judged.having({_OPTION: weight}), inputs, some)
        for weight in (choice.neighbour_weight * each for each in _MULTIPLES)
    }
    return recommender.having({_OPTION: preferred(found)})


def preferred(found: Mapping[float, Tensor]) -> float:
    """The weight with the highest mean over users [U]; the first one unless the lead is certain.

    found: for each weight the figure of the same users, in the same order
    """
    first, *_ = found
    best = max(found, key=lambda weight: found[weight].mean().item())
    lead = found[best] - found[first]
    if len(lead) < 2 or lead.mean() <= _STANDARD_ERRORS * lead.std() / len(lead) ** 0.5:
        return first
    return best


def _by_user(recommender: Recommender, inputs: Inputs, tasks: list[Tasks]) -> Tensor:
    """nDCG@10 of what follows [U], by user, mean over the numbers of interactions shown."""
    is_trained = inputs.statistics().counts > 0
    n_next = recommender.calibration.next_items
    found = [
        judge(recommender, tasks, is_trained, known, inputs.liked_from, inputs.feedback, n_next)
        for known in _KNOWN
    ]
    values = {"ndcg10": [each.metrics["ndcg10"] for each in found]}
    _, by_name = mean_by_user([each.users for each in found], values)
    return by_name["ndcg10"]
