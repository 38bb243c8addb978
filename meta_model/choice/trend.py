"""The trend of an item's popularity: how often it was chosen of late, beside all the time before.

    trend(i) = log( (w_i + a) / (W p_i + a) )

w_i counts the item's interactions, each one half as much for every 14 days of its age, and W is
their sum: time-decayed popularity (Ji, Sun, Zhang and Li, SIGIR 2020). p_i is the share that the
model of choices has learnt for the item, so that W p_i interactions are expected. Few interactions
say little: the constant a, in interactions, draws the ratio towards 1 (gamma-Poisson shrinkage;
docs/adr/0042). A model learns from years, and a list is for tomorrow (docs/adr/0028).

Shapes: N items, by index from 1; column 0 is padding.
"""

from __future__ import annotations

import pyarrow as pa
import torch
from torch import Tensor

from meta_model.choice.model import CHOICE, Items
from meta_model.data.inputs import Inputs

_DRAWN = 2.0  # a


def held_out_trend(inputs: Inputs) -> Tensor:
    """[N + 1] as it was before the held-out days; 0 for new items, which had no interaction."""
    counts, share = _learnt(inputs)
    return torch.where(counts > 0, _trend(share, decayed(inputs, "train_recent")), 0.0)


def trend_at_ds(inputs: Inputs, items: Items) -> Tensor:
    """[N + 1] at ds; of a new item against the share that its attributes promise, and not below 0.

    A new item may have been there for a day of the weeks that count.
    """
    counts, share = _learnt(inputs)
    is_trained, recent = counts > 0, decayed(inputs, "recent_interactions")
    trend = _trend(torch.where(is_trained, share, items.biases[CHOICE].exp().to(counts)), recent)
    return torch.where(is_trained, trend, trend.clamp(min=0))


def decayed(inputs: Inputs, column: str) -> Tensor:
    """The column [N + 1] of the item profiles; all 0 of a data set that has no time."""
    items: pa.Table = inputs.item_profiles
    if column not in items.column_names:
        return torch.zeros(len(items) + 1, dtype=torch.float64)
    return torch.tensor([0.0, *items[column].to_pylist()], dtype=torch.float64)


def _learnt(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """Training interactions of each item, and the share of all that the model starts from."""
    counts = inputs.statistics().counts.double()
    return counts, (counts + 1) / (counts + 1).sum()


def _trend(share: Tensor, recent: Tensor) -> Tensor:
    return ((recent + _DRAWN) / (recent.sum() * share + _DRAWN)).log()
