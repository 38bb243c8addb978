"""What a list is worth: held-out users react to it, the model adapts, and predicts the rest.

Each user reveals their true ratings of those items of the list that they have rated. The rest, on
which all lists are compared, are the user's items that are in none of the lists compared, so that
differences between lists are differences of what was asked and not of what was left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from meta_model import metrics
from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Side, Tasks
from meta_model.learners import Learner

_BATCH_TASKS = 256
_NDCG_AT = 5
_RESAMPLES = 2_000


@dataclass(frozen=True, kw_only=True)
class Elicited:
    """What asking about one list gave for each of U users, [U] each.

    users: by user_index; n_revealed: reactions that the user had to the list; mae of the median
    rating and ndcg5 of the expected one, on the rest
    """

    users: Tensor
    n_revealed: Tensor
    mae: Tensor
    ndcg5: Tensor


@torch.no_grad()
def elicit(
    learner: Learner,
    inputs: Inputs,
    lists: Mapping[str, Tensor],
    device: torch.device,
    *,
    min_adapt: int,
    scenario: str = "user_cold",
    members: Tensor | None = None,
) -> dict[str, Elicited]:
    """Ask each test user of the scenario about each of the lists, item indices [K].

    Users count whose rest has five items or more: the same users for all lists; without any, there
    is no result. As in scoring, fewer than `min_adapt` reactions leave the shared model.
    members: who is asked, by user index [U + 1]; by default everyone
    """
    if inputs.feedback == "implicit":
        raise ValueError("elicitation needs ratings; implicit feedback has no reaction to reveal")
    learner.eval()
    asked = {name: items.to(device) for name, items in lists.items()}
    of_any = torch.cat(list(asked.values())).unique()
    found: dict[str, list[Elicited]] = {name: [] for name in asked}
    episodes = inputs.episodes.split("test", scenario=scenario)
    for batch in batches(episodes, _BATCH_TASKS, on=device):
        tasks = batch.whole()
        items = tasks.items[tasks.support.places]
        rest = tasks.support.mask & ~torch.isin(items, of_any)
        counts = rest.sum(1) >= _NDCG_AT
        if members is not None:
            counts &= members.to(device)[tasks.users]
        if not counts.any():
            continue
        tasks, items, rest = tasks[counts], items[counts], rest[counts]
        catalogue = learner.embed(tasks.items)
        for name, listed in asked.items():
            revealed = tasks.support.mask & torch.isin(items, listed)
            known = replace(
                tasks, support=_of(tasks.support, revealed), query=_of(tasks.support, rest)
            )
            found[name].append(_predict(learner, known, catalogue, min_adapt, inputs))
    return {name: joined(parts) for name, parts in found.items() if parts}


def _predict(
    learner: Learner, tasks: Tasks, catalogue: object, min_adapt: int, inputs: Inputs
) -> Elicited:
    """Adapt on the support where it is long enough, and predict the query."""
    n_revealed, query = tasks.support.mask.sum(1), learner.statistics.query(tasks)
    unadapted, adapted = learner.unadapted(tasks), learner.adapt(tasks, catalogue)
    median, expected = (
        torch.where(
            (n_revealed >= min_adapt).unsqueeze(1),
            forecast(adapted, learner.predict(adapted, catalogue, query)),
            forecast(unadapted, learner.predict(unadapted, catalogue, query)),
        )
        for forecast in (learner.median, learner.expected)
    )
    low, high = inputs.rating_levels[0], inputs.rating_levels[-1]
    ratings, rest = tasks.query.ratings, tasks.query.mask
    return Elicited(
        users=tasks.users.cpu(),
        n_revealed=n_revealed.double().cpu(),
        mae=metrics.mae(median.clamp(low, high), ratings, rest).double().cpu(),
        ndcg5=metrics.ndcg(expected, metrics.graded(ratings, low, high), rest, _NDCG_AT)
        .double()
        .cpu(),
    )


def _of(side: Side, mask: Tensor) -> Side:
    """The side's places in the mask, in their order: a list's few reactions cost no more."""
    width = max(1, int(mask.sum(1).max()))
    first = torch.argsort(mask, dim=1, descending=True, stable=True)[:, :width]
    kept = mask.gather(1, first)
    return Side(
        places=side.places.gather(1, first) * kept,
        ratings=side.ratings.gather(1, first) * kept,
        mask=kept,
    )


def joined(parts: Sequence[Elicited]) -> Elicited:
    """All users of the parts, by user_index; of one who is in several of them, the mean."""
    users, places = torch.cat([part.users for part in parts]).unique(return_inverse=True)
    n_parts: Tensor = places.bincount().double()

    def mean(values: Sequence[Tensor]) -> Tensor:
        return torch.zeros_like(n_parts).index_add_(0, places, torch.cat(list(values))) / n_parts

    return Elicited(
        users=users,
        n_revealed=mean([part.n_revealed for part in parts]),
        mae=mean([part.mae for part in parts]),
        ndcg5=mean([part.ndcg5 for part in parts]),
    )


def interval(differences: Tensor, seed: int = 1) -> tuple[float, float]:
    """The 95% interval of the mean of paired differences [U], by the percentile bootstrap."""
    draws = torch.Generator().manual_seed(seed)
    size = len(differences)
    # One resample at a time: all of them at once would grow with the users.
    means = torch.stack(
        [
            differences[torch.randint(size, (size,), generator=draws)].mean()
            for _ in range(_RESAMPLES)
        ]
    )
    low, high = torch.quantile(means, torch.tensor([0.025, 0.975], dtype=means.dtype)).tolist()
    return low, high
