"""How good the night's lists are, beside the lists of simpler methods, by known interactions.

The protocol is that of `evaluation.lists`: of trained items, what comes next is judged. Of existing
users only what follows the whole support is: training has seen what follows a part of it, and what
they chose before the support is in no list. In the scenarios of new items the lists hold these
alone, and the query is judged. Every method ranks for the same held-out users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from meta_model.data.batching import DRAWN_TASKS, drawn
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.evaluation.bootstrap import Bootstrap
from meta_model.evaluation.by_user import mean_by_user
from meta_model.evaluation.list_methods import methods, new_item_methods
from meta_model.evaluation.lists import KNOWN, ListResult, Ranker, judge, of_all
from meta_model.evaluation.rankers import Unmet
from meta_model.ranking.recommender import Recommender
from schemas.tables.products import (
    ANY_KNOWN,
    LIST_METRICS,
    LIST_SCENARIOS,
    NEW_ITEM_SCENARIOS,
)


@dataclass(frozen=True, kw_only=True)
class ListMetricValue:
    """A metric of a method's lists: its mean over users, and the 95% interval of that.

    lead: the 95% interval of how far the published lists are ahead, paired over users; None for
    these themselves, and for what is of all lists together
    """

    model: str
    scenario: str
    known: str
    metric: str
    value: float
    interval: tuple[float, float] | None
    lead: tuple[float, float] | None
    n_users: int


def list_quality(
    recommender: Recommender,
    inputs: Inputs,
    champion: Recommender | None = None,
    tell: Callable[[str], None] = lambda _text: None,
) -> Iterator[ListMetricValue]:
    """Every metric of each method, for each scenario that has users with something to find."""
    of_trained = methods(recommender, inputs, champion, tell)
    of_new = new_item_methods(of_trained, inputs)
    popularity = inputs.statistics().counts
    for scenario in (*LIST_SCENARIOS, *NEW_ITEM_SCENARIOS):
        rankers = of_new if scenario in NEW_ITEM_SCENARIOS else of_trained
        found = judged(rankers, recommender, inputs, scenario, tell)
        published = found.get(recommender.config.model)
        if published and len(published[ANY_KNOWN].users):
            candidates = _candidates(inputs, scenario)
            for name, lists in found.items():
                yield from _figures(name, scenario, lists, published, candidates, popularity)


def judged(
    rankers: Mapping[str, Ranker],
    recommender: Recommender,
    inputs: Inputs,
    scenario: str,
    tell: Callable[[str], None] = lambda _text: None,
) -> dict[str, Mapping[str, ListResult]]:
    """By ranker and number known, what lists are worth to the scenario's users; {} without any.

    recommender: whose training said which items existing users had chosen before
    """
    test = inputs.episodes.split("test", scenario=scenario)
    tasks = drawn(test, DRAWN_TASKS, recommender.config.seed)
    if not tasks:
        return {}
    tell(f"{scenario}: lists of {len(rankers)} methods, {sum(map(len, tasks)):,} users")
    shown: Sequence[int | None] = KNOWN
    if scenario == "warm":
        met, shown = recommender.neighbours.interactions, (None,)
        rankers = {name: Unmet(each, met) for name, each in rankers.items()}
    n_next = None if scenario in NEW_ITEM_SCENARIOS else recommender.calibration.next_items
    candidates = _candidates(inputs, scenario)
    return {
        name: by_known(ranker, tasks, candidates, inputs, n_next, shown)
        for name, ranker in rankers.items()
    }


def _candidates(inputs: Inputs, scenario: str) -> Tensor:
    """Which items the scenario's lists hold, [N + 1]."""
    is_trained = inputs.statistics().counts > 0
    if scenario not in NEW_ITEM_SCENARIOS:
        return is_trained
    is_new = ~is_trained
    is_new[0] = False  # padding
    return is_new


def by_known(
    ranker: Ranker,
    tasks: list[Tasks],
    candidates: Tensor,
    inputs: Inputs,
    n_next: int | None,
    shown: Sequence[int | None] = KNOWN,
) -> Mapping[str, ListResult]:
    """The method's lists by what is shown of users; under `ANY_KNOWN` the mean from 1 known on."""
    found = {
        "all" if known is None else str(known): judge(
            ranker, tasks, candidates, known, inputs.liked_from, inputs.feedback, n_next
        )
        for known in shown
    }
    return found | {ANY_KNOWN: mean_of([found[known] for known in found if known != "0"])}


def mean_of(judged: list[ListResult]) -> ListResult:
    """Each user's mean over the numbers known after which they liked an item; it has no lists."""
    users, means = mean_by_user(
        [each.users for each in judged],
        {name: [each.metrics[name] for each in judged] for name in LIST_METRICS},
    )
    return ListResult(users=users, lists=judged[-1].lists[:0], metrics=means)


def _figures(
    name: str,
    scenario: str,
    judged: Mapping[str, ListResult],
    published: Mapping[str, ListResult],
    candidates: Tensor,
    popularity: Tensor,
) -> Iterator[ListMetricValue]:
    is_other = judged is not published
    for known, lists in judged.items():
        if not len(lists.users):
            continue
        n_users = len(lists.users)
        about = {"model": name, "scenario": scenario, "known": known, "n_users": n_users}
        values = [lists.metrics[metric] for metric in LIST_METRICS]
        theirs = [published[known].metrics[metric] for metric in LIST_METRICS]
        ahead = [their - own for their, own in zip(theirs, values, strict=True)]
        intervals = Bootstrap(n_users=n_users).intervals(values + (ahead if is_other else []))
        for number, metric in enumerate(LIST_METRICS):
            yield ListMetricValue(
                **about,  # type: ignore[arg-type]
                metric=metric,
                value=values[number].mean().item(),
                interval=intervals[number],
                lead=intervals[len(values) + number] if is_other else None,
            )
        if known != ANY_KNOWN:
            for metric, value in of_all(lists, candidates, popularity):
                yield ListMetricValue(
                    **about,  # type: ignore[arg-type]
                    metric=metric,
                    value=value,
                    interval=None,
                    lead=None,
                )
