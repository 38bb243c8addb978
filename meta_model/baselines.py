"""What a learner has to beat: predictions from means and counts alone."""

from __future__ import annotations

import torch
from torch import Tensor

from meta_model.item_statistics import ItemStatistics
from meta_model.tasks import Tasks


def baseline_predictions(statistics: ItemStatistics, tasks: Tasks) -> dict[str, Tensor]:
    """Predicted ratings [B, Q] of the query by each baseline that predicts ratings."""
    biases = statistics.biases(tasks)
    counts = statistics.counts[tasks.query_items]
    item_mean = statistics.sums[tasks.query_items] / counts.clamp(min=1)
    return {
        "global_mean": statistics.mean.expand_as(biases.query),
        "item_mean": torch.where(counts > 0, item_mean, statistics.mean),
        "damped_bias": statistics.mean
        + biases.query
        + statistics.user_bias(tasks, biases)[:, None],
    }


def popularity(statistics: ItemStatistics, tasks: Tasks) -> Tensor:
    """The number of training ratings of each query item [B, Q]: a ranking, not a rating."""
    return statistics.counts[tasks.query_items]
