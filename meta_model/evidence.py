"""Evidence items: what to show new users so that their reactions tell the most (MeLU, section 3.3).

For every pair of an existing user and an item, the gradient of the pair's loss by what a support
changes in the model says how much it would learn from that reaction. The paper back-propagates a
unit error, by scaling the loss L to L / |L|. With L = e^2 that scales the gradient of the
prediction by 2 |e| / e^2, which grows without bound as the error vanishes; `_LOSS_FLOOR` is its
bound.

    discriminative value  =  mean over the item's pairs of the scaled gradient's Frobenius norm
    popularity value      =  number of interactions with the item up to ds
    evidence score        =  product of the two, each scaled to 0..1 over the items
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.learners import Learner

_BATCH_TASKS = 256
_LOSS_FLOOR = 0.01  # of squared errors: a tenth of a star is no error worth the name


@torch.no_grad()
def select_evidence(
    learner: Learner, inputs: Inputs, k: int, device: torch.device
) -> dict[str, np.ndarray]:
    """The `k` best items in order: item_index, evidence_score and its two factors."""
    learner.eval()
    size = len(inputs.item_profiles) + 1
    sums, pairs = (torch.zeros(size, dtype=torch.float64, device=device) for _ in range(2))
    # Existing users' past, whole: what is support and what is query makes no difference here.
    for batch in batches(inputs.episodes.split("train", "validation"), _BATCH_TASKS):
        tasks = batch.to(device).whole()
        found = learner.sensitivity(tasks, learner.embed(tasks.items))
        # A sampled negative is no reaction that anyone had.
        is_reaction = tasks.support.ratings > 0 if inputs.feedback == "implicit" else True
        mask = tasks.support.mask & is_reaction
        scaled = found.of_loss / found.losses.clamp(min=_LOSS_FLOOR)
        items = tasks.items[tasks.support.places][mask]
        sums.index_add_(0, items, scaled[mask].double())
        pairs.index_add_(0, items, torch.ones_like(items, dtype=torch.float64))
    known = torch.nonzero(pairs > 0).squeeze(1).cpu()
    discriminative = _unit_scaled((sums / pairs.clamp(min=1)).cpu()[known])
    n_interactions = torch.tensor(inputs.item_profiles["n_interactions"].to_numpy())
    popularity = _unit_scaled(n_interactions[known - 1].double())
    score = discriminative * popularity
    best = torch.argsort(score, descending=True, stable=True)[:k]
    return {
        "item_index": known[best].numpy(),
        "evidence_score": score[best].numpy(),
        "discriminative_value": discriminative[best].numpy(),
        "popularity_value": popularity[best].numpy(),
    }


def _unit_scaled(values: Tensor) -> Tensor:
    spread = values.max() - values.min()
    return (values - values.min()) / spread if spread > 0 else torch.ones_like(values)
