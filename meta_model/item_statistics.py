"""Rating statistics of the training data, and the damped bias made of them.

mu + b_i + b_u with b_i = sum(r - mu) / (n_i + 5) over the training ratings of the item, and
b_u = sum(r - mu - b_i) / (n_u + 3) over the task's support. The dampings 5 and 3 are those of
LensKit's bias model (M. Ekstrand, CIKM 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from meta_model.tasks import Tasks

ITEM_DAMPING = 5.0
USER_DAMPING = 3.0


@dataclass(frozen=True, kw_only=True)
class Biases:
    """The item biases at a batch's places: support [B, S], query [B, Q]."""

    support: Tensor
    query: Tensor


class ItemStatistics(nn.Module):
    """Counts and sums of training ratings by item index, [N + 1]; saved with the model."""

    counts: Tensor
    sums: Tensor

    def __init__(self, counts: Tensor, sums: Tensor) -> None:
        super().__init__()
        self.register_buffer("counts", counts)
        self.register_buffer("sums", sums)

    @staticmethod
    def from_profiles(items: pa.Table) -> ItemStatistics:
        """From the item profiles, ordered by item_index."""
        columns = (items["train_n_ratings"].to_numpy(), items["train_rating_sum"].to_numpy())
        padded = (torch.from_numpy(np.concatenate([[0.0], column])).float() for column in columns)
        return ItemStatistics(*padded)

    @property
    def mean(self) -> Tensor:
        """mu, the mean training rating."""
        return self.sums.sum() / self.counts.sum().clamp(min=1)

    def item_bias(self, items: Tensor) -> Tensor:
        """b_i for any tensor of item indices."""
        return self._bias(self.counts[items], self.sums[items])

    def biases(self, tasks: Tasks) -> Biases:
        """b_i at the batch's places, with a train task's own ratings left out of them.

        Without that, the item's mean would tell a train task part of the rating to predict.
        """
        own = tasks.in_statistics.unsqueeze(1)
        return Biases(
            support=self._left_out(tasks.support_items, tasks.support_ratings, own),
            query=self._left_out(tasks.query_items, tasks.query_ratings, own),
        )

    def user_bias(self, tasks: Tasks, biases: Biases) -> Tensor:
        """b_u [B], from the support alone."""
        rest = (tasks.support_ratings - self.mean - biases.support) * tasks.support_mask
        return rest.sum(1) / (tasks.support_mask.sum(1) + USER_DAMPING)

    def _left_out(self, items: Tensor, ratings: Tensor, own: Tensor) -> Tensor:
        counts, sums = self.counts[items], self.sums[items]
        return self._bias(
            torch.where(own, (counts - 1).clamp(min=0), counts),
            torch.where(own & (counts > 0), sums - ratings, sums),
        )

    def _bias(self, counts: Tensor, sums: Tensor) -> Tensor:
        return (sums - self.mean * counts) / (counts + ITEM_DAMPING)
