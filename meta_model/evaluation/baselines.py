"""What a learner has to beat: predictions from means and counts alone."""

from __future__ import annotations

import torch
from torch import Tensor

from meta_model.data.item_statistics import ITEM_DAMPING, USER_DAMPING, ItemStatistics
from meta_model.data.tasks import Tasks


def baseline_predictions(
    statistics: ItemStatistics, tasks: Tasks, levels: tuple[float, ...]
) -> dict[str, Tensor]:
    """Predicted ratings [B, Q] of the query by each baseline that predicts ratings.

    The damped bias is mu + b_i + b_u with b_i = sum(r - mu) / (n_i + 5) over the item's training
    ratings and b_u = sum(r - mu - b_i) / (n_u + 3) over the support; the dampings are those of
    LensKit's bias model (M. Ekstrand, CIKM 2020). Rounded, it is the nearest of the levels.
    """
    support, query = statistics.support(tasks), statistics.query(tasks)
    item_bias = query.deviation / (query.counts + ITEM_DAMPING)
    support_bias = support.deviation / (support.counts + ITEM_DAMPING)
    rest = (tasks.support.ratings - statistics.mean - support_bias) * tasks.support.mask
    user_bias = rest.sum(1) / (tasks.support.mask.sum(1) + USER_DAMPING)
    damped_bias = statistics.mean + item_bias + user_bias[:, None]
    return {
        "global_mean": statistics.mean.expand_as(item_bias),
        "item_mean": statistics.mean + query.deviation / query.counts.clamp(min=1),
        "damped_bias": damped_bias,
        "damped_bias_rounded": _rounded(damped_bias, levels),
    }


def _rounded(predicted: Tensor, levels: tuple[float, ...]) -> Tensor:
    values = torch.tensor(levels, device=predicted.device)
    return values[torch.bucketize(predicted, (values[1:] + values[:-1]) / 2)]


def popularity(statistics: ItemStatistics, tasks: Tasks) -> Tensor:
    """The number of training ratings of each query item [B, Q]: a ranking, not a rating."""
    return statistics.query(tasks).counts
