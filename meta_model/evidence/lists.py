"""Lists to ask new users about that score each item by itself: what the published one has to beat.

    discriminative value  =  item discrimination, 0..1 (evidence.item_values)
    popularity value      =  number of training interactions with the item, scaled to 0..1
    evidence score        =  product of the two

The product is MeLU's (section 3.3). `evidence_correlation` has the item-rest correlation as
discriminative value, `evidence_paper` the norms of gradients of the paper's scaled loss, and
`evidence_robust` those of the prediction. The others are the classical ones: popularity, the
entropy of the ratings, log popularity x entropy and HELF (Rashid et al., IUI 2002; SIGKDD
Explorations 2008), the harmonic mean of log frequency and entropy, each as a share of its largest.
Decision 25 says what each is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from meta_model.evidence.item_values import ItemValues, unit_scaled

Score = Callable[[ItemValues], Tensor]

# A list has the items of the highest scores.
LISTS: Mapping[str, Score] = {
    "evidence_correlation": lambda v: v.discriminative * unit_scaled(v.n_interactions),
    "evidence_paper": lambda v: unit_scaled(v.of_loss) * unit_scaled(v.n_interactions),
    "evidence_robust": lambda v: unit_scaled(v.of_score) * unit_scaled(v.n_interactions),
    "popularity": lambda values: values.n_interactions,
    "entropy": lambda values: values.entropy,
    "popularity_x_entropy": lambda v: v.n_interactions.clamp(min=1).log() * v.entropy,
    "helf": lambda values: _helf(values.n_interactions, values.entropy),
}


def _helf(n_interactions: Tensor, entropy: Tensor) -> Tensor:
    frequency = n_interactions.clamp(min=1).log()
    frequency, entropy = (x / x.max().clamp(min=1e-9) for x in (frequency, entropy))
    return 2 * frequency * entropy / (frequency + entropy).clamp(min=1e-9)


def listed(name: str, values: ItemValues, k: int) -> Tensor:
    """The `k` items of the highest scores, in order."""
    return values.items[order(LISTS[name](values))[:k]]


def order(score: Tensor) -> Tensor:
    """Places by score, the highest first; ties in the order of the items."""
    return torch.argsort(score, descending=True, stable=True)
