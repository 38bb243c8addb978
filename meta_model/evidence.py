"""Lists of items to ask new users about, ours and those that it has to beat.

    discriminative value  =  how much a reaction tells of the user, 0..1 (meta_model.item_values)
    popularity value      =  number of training interactions with the item, scaled to 0..1
    evidence score        =  product of the two

The product is MeLU's (section 3.3), the discriminative value is ours: `evidence` is the list that
is published. `evidence_paper` is the paper's, with the norms of gradients of its scaled loss for
discriminative value, and `evidence_robust` has those of the prediction. The others are the
classical ones: popularity, the entropy of the ratings, log popularity x entropy (Rashid et al.,
IUI 2002), and chance. Decision 19 says what each is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from meta_model.item_values import ItemValues, unit_scaled

Score = Callable[[ItemValues], Tensor]

# A list has the items of the highest scores.
LISTS: Mapping[str, Score] = {
    "evidence": lambda values: values.discriminative * unit_scaled(values.n_interactions),
    "evidence_paper": lambda v: unit_scaled(v.of_loss) * unit_scaled(v.n_interactions),
    "evidence_robust": lambda v: unit_scaled(v.of_score) * unit_scaled(v.n_interactions),
    "popularity": lambda values: values.n_interactions,
    "entropy": lambda values: values.entropy,
    "popularity_x_entropy": lambda v: v.n_interactions.clamp(min=1).log() * v.entropy,
}


def select_evidence(values: ItemValues, k: int) -> dict[str, np.ndarray]:
    """The `k` best items in order: item_index, evidence_score and its two factors."""
    score = LISTS["evidence"](values)
    best = order(score)[:k]
    return {
        "item_index": values.items[best].numpy(),
        "evidence_score": score[best].numpy(),
        "discriminative_value": values.discriminative[best].numpy(),
        "popularity_value": unit_scaled(values.n_interactions)[best].numpy(),
    }


def order(score: Tensor) -> Tensor:
    """Places by score, the highest first; ties in the order of the items."""
    return torch.argsort(score, descending=True, stable=True)
