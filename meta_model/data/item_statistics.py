"""Training statistics of each item, and those of the items at the positions of a batch.

Where a training task's rating is part of the statistics, it is left out at that task's position:
otherwise the item's mean would leak part of the rating to predict.

For implicit feedback the statistics count the positives. Sampled negatives are not part of them,
so none is left out. As all ratings are 1, means and deviations are 0: only counts differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from meta_model.data.interaction_set import InteractionSet
from meta_model.data.tasks import Tasks
from schemas.dataset.spec import Feedback

# How many average ratings a mean is damped by; the numbers are those of LensKit's bias model.
ITEM_DAMPING = 5.0
USER_DAMPING = 3.0


@dataclass(frozen=True, kw_only=True)
class ItemPositions:
    """Positions of a padded batch, and the training statistics of the item at each.

    rows: [B, N], or [1, N] for the same items in all tasks: the row of the item in the catalogue
    counts: number of training ratings, without the task's own
    deviation: sum of (rating - mu) over these ratings
    """

    rows: Tensor
    counts: Tensor
    deviation: Tensor


class ItemStatistics(nn.Module):
    """Counts and sums of training ratings by item index, [N + 1]; saved with the model.

    For implicit feedback, whose ratings are all 1, the sums are 0.
    """

    counts: Tensor
    sums: Tensor
    mean: Tensor  # mu, over all training ratings

    def __init__(self, counts: Tensor, sums: Tensor, feedback: Feedback) -> None:
        super().__init__()
        self.feedback = feedback
        self.register_buffer("counts", counts)
        self.register_buffer("sums", sums)
        self.register_buffer("mean", sums.sum() / counts.sum().clamp(min=1))

    @staticmethod
    def from_profiles(items: pa.Table, feedback: Feedback = "explicit") -> ItemStatistics:
        """From the item profiles, ordered by item_index."""
        columns = (items["train_n_ratings"].to_numpy(), items["train_rating_sum"].to_numpy())
        counts, sums = (torch.from_numpy(np.concatenate([[0.0], each])).float() for each in columns)
        return ItemStatistics(counts, sums if feedback == "explicit" else sums * 0, feedback)

    def support(self, tasks: Tasks) -> ItemPositions:
        """Item statistics [B, S] at the support, without the task's own ratings."""
        return self._positions(tasks, tasks.support)

    def query(self, tasks: Tasks) -> ItemPositions:
        """Item statistics [B, Q] at the query, without the task's own ratings."""
        return self._positions(tasks, tasks.query)

    def of_all(self, items: Tensor) -> ItemPositions:
        """All of the items [M], the same for every task: positions [1, M]."""
        rows = torch.arange(len(items), device=items.device).unsqueeze(0)
        counts = self.counts[items].unsqueeze(0)
        sums = self.sums[items].unsqueeze(0)
        return ItemPositions(rows=rows, counts=counts, deviation=sums - self.mean * counts)

    def _positions(self, tasks: Tasks, interactions: InteractionSet) -> ItemPositions:
        items = tasks.items[interactions.rows]
        counts, sums = self.counts[items], self.sums[items]
        is_counted = tasks.in_statistics.unsqueeze(1) & interactions.mask & (counts > 0)
        if self.feedback == "implicit":
            counts = counts - (is_counted & (interactions.ratings > 0)).float()
        else:
            counts = counts - is_counted.float()
            sums = sums - interactions.ratings * is_counted
        deviation = sums - self.mean * counts
        return ItemPositions(rows=interactions.rows, counts=counts, deviation=deviation)
