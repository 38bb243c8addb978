"""Lists of items to ask new users about, ours and those that it has to beat.

    discriminative value  =  meta_model.item_values
    popularity value      =  number of interactions with the item up to ds
    evidence score        =  product of the two, each scaled to 0..1 over the items

(MeLU, section 3.3). The others are the classical ones: popularity, the entropy of the ratings,
log popularity x entropy (Rashid et al., IUI 2002), and chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from meta_model.data.inputs import Inputs
from meta_model.item_values import ItemValues, item_values
from meta_model.learners import Learner

Score = Callable[[ItemValues], Tensor]

# A list has the items of the highest scores.
LISTS: Mapping[str, Score] = {
    "evidence": lambda values: unit_scaled(values.of_loss) * unit_scaled(values.n_interactions),
    "evidence_robust": lambda v: unit_scaled(v.of_score) * unit_scaled(v.n_interactions),
    "popularity": lambda values: values.n_interactions,
    "entropy": lambda values: values.entropy,
    "popularity_x_entropy": lambda values: values.n_interactions.log() * values.entropy,
}


def select_evidence(
    learner: Learner, inputs: Inputs, k: int, device: torch.device
) -> dict[str, np.ndarray]:
    """The `k` best items in order: item_index, evidence_score and its two factors."""
    values = item_values(learner, inputs, device)
    score = LISTS["evidence"](values)
    best = order(score)[:k]
    return {
        "item_index": values.items[best].numpy(),
        "evidence_score": score[best].numpy(),
        "discriminative_value": unit_scaled(values.of_loss)[best].numpy(),
        "popularity_value": unit_scaled(values.n_interactions)[best].numpy(),
    }


def order(score: Tensor) -> Tensor:
    """Places by score, the highest first; ties in the order of the items."""
    return torch.argsort(score, descending=True, stable=True)


def unit_scaled(values: Tensor) -> Tensor:
    spread = values.max() - values.min()
    return (values - values.min()) / spread if spread > 0 else torch.ones_like(values)
