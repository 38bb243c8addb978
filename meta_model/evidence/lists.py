"""Lists to ask new users about that score each item by itself: what the published one has to beat.

    discriminative value  =  item discrimination, 0..1 (evidence.item_scores)
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

from meta_model.evidence.item_scores import ItemScores, unit_scaled

Score = Callable[[ItemScores], Tensor]

# A list has the items of the highest scores.
LISTS: Mapping[str, Score] = {
    "evidence_correlation": lambda s: s.discriminative * unit_scaled(s.n_interactions),
    "evidence_paper": lambda s: unit_scaled(s.of_loss) * unit_scaled(s.n_interactions),
    "evidence_robust": lambda s: unit_scaled(s.of_score) * unit_scaled(s.n_interactions),
    "popularity": lambda scores: scores.n_interactions,
    "entropy": lambda scores: scores.entropy,
    "popularity_x_entropy": lambda s: s.n_interactions.clamp(min=1).log() * s.entropy,
    "helf": lambda scores: _helf(scores.n_interactions, scores.entropy),
}


def _helf(n_interactions: Tensor, entropy: Tensor) -> Tensor:
    frequency = n_interactions.clamp(min=1).log()
    frequency, entropy = (x / x.max().clamp(min=1e-9) for x in (frequency, entropy))
    return 2 * frequency * entropy / (frequency + entropy).clamp(min=1e-9)


def listed(name: str, scores: ItemScores, k: int) -> Tensor:
    """The `k` items of the highest scores, in order."""
    return scores.items[order(LISTS[name](scores))[:k]]


def order(score: Tensor) -> Tensor:
    """Rows of the items by score, the highest first; ties in the order of the items."""
    return torch.argsort(score, descending=True, stable=True)
