"""Whether p_like and the intervals of scores are what they say, for held-out users.

    ECE  =  sum_b n_b / n | mean p_like_b - share liked_b |

over bins of equally many listed items (expected calibration error, Naeini, Cooper and Hauskrecht,
AAAI 2015). Users show 0, 1, 3, 10 and 30 interactions, or all of a shorter support. An item counts
as liked if the interactions that directly follow hold it with the rating of a liked item.

Shapes: B tasks, K ranks, R rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.ranking.calibrating import errors
from meta_model.ranking.calibration import SIZES
from meta_model.ranking.recommender import Recommender

_BINS = 10
_BATCH_TASKS = 256
_BATCHES = 8  # two thousand users


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
    test = inputs.episodes.split("test", scenario=scenario)
    tasks = list(islice(batches(test, _BATCH_TASKS, on=recommender.device), _BATCHES))
    if not tasks:
        return None
    rows = [row for batch in tasks for row in _listed(recommender, batch, inputs)]
    p_like, liked = (torch.cat(parts) for parts in zip(*rows, strict=True))
    within = [each for batch in tasks for each in _within(recommender, batch, inputs)]
    return ListCalibration(
        scenario=scenario,
        error=expected_error(p_like, liked),
        coverage=torch.cat(within).double().mean().item() if within else None,
        n_users=sum(map(len, tasks)),
    )


def expected_error(probabilities: Tensor, happened: Tensor) -> float:
    """ECE of probabilities [R] and 0 or 1 [R]."""
    order = probabilities.argsort()
    differences = (probabilities - happened)[order].tensor_split(_BINS)
    return sum(abs(part.sum().item()) for part in differences) / max(len(probabilities), 1)


def _listed(
    recommender: Recommender, tasks: Tasks, inputs: Inputs
) -> Iterator[tuple[Tensor, Tensor]]:
    """p_like of what a user would be shown, and whether they went on to like it, [R] each."""
    for size in SIZES:
        asked = tasks.followed(size, recommender.calibration.next_items, inputs.feedback)
        listed = recommender.ranked(asked, recommender.config.products.top_items)
        liked = asked.liked_in_query(recommender.n_items, inputs.liked_from).gather(1, listed.items)
        there = listed.items > 0
        yield listed.likes.sigmoid()[there].cpu(), liked[there].double().cpu()


def _within(recommender: Recommender, tasks: Tasks, inputs: Inputs) -> Iterator[Tensor]:
    """Whether each following rating is within its score's interval, [R]."""
    if inputs.is_implicit:
        return
    for size in SIZES:
        asked = tasks.followed(size, recommender.calibration.next_items)
        shown = recommender.calibration.of_size(size)
        if shown.low is not None and shown.high is not None:
            found = errors(recommender, asked, size)
            yield (found >= shown.low) & (found <= shown.high)
