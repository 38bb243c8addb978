"""What a list is worth: held-out users answer it, the model adapts, and serves them.

Each user reveals their true ratings of those items of the list that they have rated, and that they
do not know the others. The rest, on which all lists are compared, are the user's items that are in
none of the lists compared, so that differences between lists are differences of what was asked and
not of what was left. The rest is predicted, and it is what recommendations of the catalogue, less
all that any list asks, should find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.interaction_set import Asked, InteractionSet
from meta_model.data.ragged import CPU
from meta_model.data.tasks import Tasks
from meta_model.evaluation import lists as list_evaluation
from meta_model.evaluation import metrics
from meta_model.evaluation.by_user import mean_by_user
from meta_model.evaluation.lists import Ranker
from meta_model.learners import Learner

_BATCH_TASKS = 256
_NDCG_AT = 5


@dataclass(frozen=True, kw_only=True)
class ElicitationResult:
    """What asking about one list gave for each of U users, [U] each.

    users: by user_index; n_revealed: reactions that the user had to the list; mae of the median
    rating, rmse and ndcg5 of the expected one, on the rest; ndcg10_after and recall20_after: of the
    list of the catalogue that follows, where what the user likes of the rest is relevant
    """

    users: Tensor
    n_revealed: Tensor
    mae: Tensor
    rmse: Tensor
    ndcg5: Tensor
    ndcg10_after: Tensor
    recall20_after: Tensor


@torch.no_grad()
def elicit(
    learner: Learner,
    ranker: Ranker,
    inputs: Inputs,
    lists: Mapping[str, Tensor],
    device: torch.device,
    *,
    min_adapt: int,
    answer_rates: Tensor,
    scenario: str = "user_cold",
    members: Tensor | None = None,
) -> dict[str, ElicitationResult]:
    """Ask each test user of the scenario about each of the lists, item indices [K].

    Users count whose rest has five items or more, one of them liked: the same users for all lists;
    without any, there is no result. As in scoring, fewer than `min_adapt` reactions leave the
    shared model.
    ranker: makes the lists that follow; answer_rates: the share of all users who know an item, by
    item index [N + 1]; members: who is asked, by user index [U + 1], or everyone
    """
    if inputs.is_implicit:
        raise ValueError("elicitation needs ratings; implicit feedback has no reaction to reveal")
    learner.eval()
    asked = {name: items.to(device) for name, items in lists.items()}
    of_any = torch.cat(list(asked.values())).unique()
    may_be_listed = inputs.statistics().counts > 0
    may_be_listed[of_any.cpu()] = False
    found: dict[str, list[ElicitationResult]] = {name: [] for name in asked}
    episodes = inputs.episodes.split("test", scenario=scenario)
    for batch in batches(episodes, _BATCH_TASKS, on=device):
        tasks = batch.whole()
        items = tasks.items[tasks.support.rows]
        rest = tasks.support.mask & ~torch.isin(items, of_any)
        is_liked = rest & (tasks.support.ratings >= inputs.liked_from)
        counts = (rest.sum(1) >= _NDCG_AT) & (is_liked & may_be_listed.to(device)[items]).any(1)
        if members is not None:
            counts &= members.to(device)[tasks.users]
        if not counts.any():
            continue
        tasks, items, rest = tasks[counts], items[counts], rest[counts]
        catalogue = learner.embed(tasks.items)
        for name, listed in asked.items():
            revealed = tasks.support.mask & torch.isin(items, listed)
            known = replace(
                tasks,
                support=_selected(tasks.support, revealed),
                query=_selected(tasks.support, rest),
                is_ordered=False,  # of answers
                asked=asked_about(listed, answer_rates, len(tasks)),
            )
            predicted = _predict(learner, known, catalogue, min_adapt, inputs)
            recommended = _recommend(ranker, known, may_be_listed, inputs.liked_from)
            found[name].append(
                ElicitationResult(users=tasks.users.cpu(), **predicted, **recommended)
            )
    return {name: merged_by_user(parts) for name, parts in found.items() if parts}


def asked_about(items: Tensor, answer_rates: Tensor, n_tasks: int) -> Asked:
    """The same items, by item index [K], for all tasks; answer_rates: of all items, [N + 1]."""
    rates = answer_rates.to(items.device)[items]
    return Asked(items=items, rates=rates).map(lambda tensor: tensor.expand(n_tasks, -1))


def _predict(
    learner: Learner, tasks: Tasks, catalogue: object, min_adapt: int, inputs: Inputs
) -> dict[str, Tensor]:
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
    grades = metrics.graded(ratings, low, high)
    values = {
        "n_revealed": n_revealed,
        "mae": metrics.mae(median.clamp(low, high), ratings, rest),
        "rmse": metrics.rmse(expected.clamp(low, high), ratings, rest),
        "ndcg5": metrics.ndcg(expected, grades, rest, _NDCG_AT),
    }
    return {name: value.double().cpu() for name, value in values.items()}


def _recommend(
    ranker: Ranker, tasks: Tasks, may_be_listed: Tensor, liked: float
) -> dict[str, Tensor]:
    """The list of the catalogue after the support, judged by what is liked of the query."""
    found = list_evaluation.judge(ranker, [tasks.to(CPU)], may_be_listed, None, liked)
    return {f"{name}_after": found.metrics[name].double() for name in ("ndcg10", "recall20")}


def _selected(interactions: InteractionSet, mask: Tensor) -> InteractionSet:
    """The positions in the mask, in their order and without padding, which keeps batches small."""
    width = max(1, int(mask.sum(1).max()))
    first = torch.argsort(mask, dim=1, descending=True, stable=True)[:, :width]
    kept = mask.gather(1, first)
    return InteractionSet(
        rows=interactions.rows.gather(1, first) * kept,
        ratings=interactions.ratings.gather(1, first) * kept,
        days=interactions.days.gather(1, first) * kept,
        mask=kept,
    )


def merged_by_user(parts: Sequence[ElicitationResult]) -> ElicitationResult:
    """All users of the parts, by user_index; of one who is in several of them, the mean."""
    names = [field.name for field in fields(ElicitationResult) if field.name != "users"]
    users, means = mean_by_user(
        [part.users for part in parts],
        {name: [getattr(part, name) for part in parts] for name in names},
    )
    return ElicitationResult(users=users, **means)
