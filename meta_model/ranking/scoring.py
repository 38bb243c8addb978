"""Cold-user scores: for each cold user the items that they will choose and like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.ranking.by_rating import BLOCK
from meta_model.ranking.recommender import Recommender


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The lists of a batch of users, in order.

    users, n_support, adapted: [B]; the others [B, K]. Places past a user's last candidate hold
    item 0. low, high: where 80% of ratings lie; NaN where that is not known
    """

    users: Tensor
    n_support: Tensor
    adapted: Tensor
    items: Tensor
    p_like: Tensor
    p_choice: Tensor
    scores: Tensor
    low: Tensor
    high: Tensor
    ranked_by: str


@torch.no_grad()
def score_cold_users(recommender: Recommender, inputs: Inputs) -> Iterator[Scores]:
    """All serve tasks, batch by batch; memory does not grow with users times items."""
    recommender = recommender.at_ds(inputs)
    config, device = recommender.config, recommender.device
    for tasks in batches(inputs.episodes.split("serve"), BLOCK[device.type][0], on=device):
        ranked = recommender.ranked(tasks, config.products.top_items)
        n_support = tasks.chosen(inputs.feedback).support.mask.sum(1)
        adapted = recommender.adapts(tasks)
        scale = (inputs.rating_levels[0], inputs.rating_levels[-1])
        low, high = recommender.calibration.bounds(ranked.scores, n_support * adapted, scale)
        yield Scores(
            users=tasks.users,
            n_support=n_support,
            adapted=adapted,
            items=ranked.items,
            p_like=ranked.likes.sigmoid(),
            p_choice=ranked.log_choice.exp(),
            scores=ranked.scores,
            low=low,
            high=high,
            ranked_by=config.products.rank_by,
        )
