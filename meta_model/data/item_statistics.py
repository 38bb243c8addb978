"""What the training ratings say of each item, and of an item at a task's place.

Where a train task's own rating is part of the statistics, it is left out at that task's place:
otherwise the item's mean would tell part of the rating to predict.

Of implicit feedback the statistics hold the positives: sampled negatives were never counted, so
none is left out, and as all ratings are 1, means and deviations are 0. The count says all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from meta_model.data.tasks import Side, Tasks
from schemas.dataset.spec import Feedback


@dataclass(frozen=True, kw_only=True)
class RatedPlaces:
    """Places to predict, and the statistics of the items there without the task's own rating.

    rows: [B, N], or [1, N] for the same items in all tasks: each place's row in the batch's items
    counts: number of training ratings; deviation: the sum of (rating - mean) over them
    """

    rows: Tensor
    counts: Tensor
    deviation: Tensor


class ItemStatistics(nn.Module):
    """Counts and sums of training ratings by item index, [N + 1]; saved with the model.

    Where ratings say nothing, in implicit feedback, the sums are 0.
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

    def support(self, tasks: Tasks) -> RatedPlaces:
        return self._places(tasks, tasks.support)

    def query(self, tasks: Tasks) -> RatedPlaces:
        return self._places(tasks, tasks.query)

    def of_all(self, items: Tensor) -> RatedPlaces:
        """All of the items [M], the same for every task: places [1, M]."""
        rows = torch.arange(len(items), device=items.device).unsqueeze(0)
        counts = self.counts[items].unsqueeze(0)
        sums = self.sums[items].unsqueeze(0)
        return RatedPlaces(rows=rows, counts=counts, deviation=sums - self.mean * counts)

    def _places(self, tasks: Tasks, side: Side) -> RatedPlaces:
        items = tasks.items[side.places]
        counts, sums = self.counts[items], self.sums[items]
        own = tasks.in_statistics.unsqueeze(1) & side.mask & (counts > 0)
        if self.feedback == "implicit":
            counts = counts - (own & (side.ratings > 0)).float()
        else:
            counts, sums = counts - own.float(), sums - side.ratings * own
        return RatedPlaces(rows=side.places, counts=counts, deviation=sums - self.mean * counts)
