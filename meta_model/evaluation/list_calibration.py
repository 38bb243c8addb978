"""Whether p_like and the intervals of scores are what they say, for held-out users.

    ECE  =  sum_b n_b / n | mean p_like_b - share liked_b |

over bins of equally many listed items (expected calibration error, Naeini, Cooper and Hauskrecht,
AAAI 2015). New users show 0, 1, 3, 10 and 30 interactions, or all of a shorter support. Existing
users show all of their support, because training has seen what follows within it, and items that
training saw them choose do not count. An item counts as liked if the interactions that directly
follow hold it with the rating of a liked item.

Shapes: B tasks, K ranks, R rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from meta_model.data.batching import DRAWN_TASKS, drawn
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.ranking.calibrating import errors
from meta_model.ranking.calibration import SIZES
from meta_model.ranking.recommender import Recommender

_WHOLE = 2**31 - 1  # interactions: more than any support has
_SHOWN = {"user_cold": SIZES, "warm": (_WHOLE,)}
_BINS = 10


@dataclass(frozen=True, kw_only=True)
class ListCalibration:
    """error: ECE of p_like; coverage: the share of ratings within the 80% intervals of scores

    coverage is None where no interval is known, as for choices without ratings
    """

    scenario: str
    error: float
    coverage: float | None
    n_users: int


@torch.no_grad()
def list_calibration(
    recommender: Recommender, inputs: Inputs, scenario: str
) -> ListCalibration | None:
    """Of the scenario's test users; None where there are none."""
    tasks = tasks_of(recommender, inputs, scenario)
    if not tasks:
        return None
    p_like, liked = outcomes(recommender, tasks, inputs, scenario)
    within = within_intervals(recommender, tasks, inputs, scenario)
    return ListCalibration(
        scenario=scenario,
        error=expected_error(p_like, liked),
        coverage=within.double().mean().item() if len(within) else None,
        n_users=sum(map(len, tasks)),
    )


def tasks_of(recommender: Recommender, inputs: Inputs, scenario: str) -> list[Tasks]:
    """Of the scenario, on the recommender's device; drawn at random where there are many."""
    test = inputs.episodes.split("test", scenario=scenario)
    return drawn(test, DRAWN_TASKS, recommender.config.seed, on=recommender.device)


@torch.no_grad()
def outcomes(
    recommender: Recommender, tasks: list[Tasks], inputs: Inputs, scenario: str
) -> tuple[Tensor, Tensor]:
    """p_like of what the users of all batches would be shown, and whether they liked it, [R]."""
    rows = [
        _listed(recommender, batch, size, inputs) for batch in tasks for size in _SHOWN[scenario]
    ]
    p_like, liked = (torch.cat(parts) for parts in zip(*rows, strict=True))
    return p_like, liked


@torch.no_grad()
def within_intervals(
    recommender: Recommender, tasks: list[Tasks], inputs: Inputs, scenario: str
) -> Tensor:
    """Whether each rating that follows is in its score's interval, [R]; empty without intervals."""
    cases = [(batch, size) for batch in tasks for size in _SHOWN[scenario]]
    return torch.cat([_within(recommender, *case, inputs) for case in cases])


def expected_error(probabilities: Tensor, happened: Tensor) -> float:
    """ECE of probabilities [R] and 0 or 1 [R]."""
    order = probabilities.argsort()
    differences = (probabilities - happened)[order].tensor_split(_BINS)
    return sum(abs(part.sum().item()) for part in differences) / max(len(probabilities), 1)


def _listed(
    recommender: Recommender, tasks: Tasks, size: int, inputs: Inputs
) -> tuple[Tensor, Tensor]:
    """p_like of what a user would be shown, and whether they went on to like it, [R] each."""
    asked = tasks.followed(size, recommender.calibration.next_items, inputs.feedback)
    listed = recommender.ranked(asked, recommender.config.products.top_items)
    liked = asked.liked_in_query(recommender.n_items, inputs.liked_from).gather(1, listed.items)
    met = recommender.neighbours.interactions.met_by(asked.users.cpu()).to(listed.items.device)
    there = (listed.items > 0) & ~met.gather(1, listed.items)
    return listed.likes.sigmoid()[there].cpu(), liked[there].double().cpu()


def _within(recommender: Recommender, tasks: Tasks, size: int, inputs: Inputs) -> Tensor:
    """Whether each following rating is within its score's interval, [R]; none without intervals."""
    asked = tasks.followed(size, recommender.calibration.next_items)
    ends = recommender.calibration.ends(asked.support.mask.sum(1))
    is_known = asked.query.mask & ~ends[0].isnan().unsqueeze(1)
    if inputs.is_implicit or not is_known.any():
        return torch.zeros(0, dtype=torch.bool)
    low, high = (end.unsqueeze(1).expand_as(is_known)[is_known].cpu() for end in ends)
    found = errors(recommender, replace(asked, query=asked.query.only(is_known)), size)
    return (found >= low) & (found <= high)
