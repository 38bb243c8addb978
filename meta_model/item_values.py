"""What existing users' reactions say of each item: the parts that lists to ask about are made of.

The discriminative value of an item is the mean, over the users who reacted to it, of how strongly
that reaction moves what a support changes in the model (MeLU, section 3.3). The paper
back-propagates a unit error, by scaling the loss L to L / |L|. With L = e^2 that scales the
gradient of the prediction by 2 |e| / e^2, which grows without bound as the error vanishes;
`_LOSS_FLOOR` is its bound. Beside it stands the gradient of the prediction itself, which needs
none.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.learners import Learner

_BATCH_TASKS = 256
_LOSS_FLOOR = 0.01  # of squared errors: a tenth of a star is no error worth the name


@dataclass(frozen=True, kw_only=True)
class ItemValues:
    """Of each of the N items that an existing user reacted to, in order of item_index, [N] each.

    of_loss, of_score: mean Frobenius norms of the gradients of the scaled loss and of the
    prediction; n_interactions: up to ds; entropy: of the ratings that existing users gave, in nats
    """

    items: Tensor
    of_loss: Tensor
    of_score: Tensor
    n_interactions: Tensor
    entropy: Tensor


@torch.no_grad()
def item_values(learner: Learner, inputs: Inputs, device: torch.device) -> ItemValues:
    """One pass over the past of all existing users."""
    learner.eval()
    size, levels = len(inputs.item_profiles) + 1, torch.tensor(inputs.rating_levels, device=device)
    of_loss, of_score = (torch.zeros(size, dtype=torch.float64, device=device) for _ in range(2))
    ratings = torch.zeros(size, len(levels), dtype=torch.float64, device=device)
    # Existing users' past, whole: what is support and what is query makes no difference here.
    for batch in batches(inputs.episodes.split("train", "validation"), _BATCH_TASKS):
        tasks = batch.to(device).whole()
        found = learner.sensitivity(tasks, learner.embed(tasks.items))
        # A sampled negative is no reaction that anyone had.
        is_reaction = tasks.support.ratings > 0 if inputs.feedback == "implicit" else True
        mask = tasks.support.mask & is_reaction
        items = tasks.items[tasks.support.places][mask]
        scaled = found.of_loss / found.losses.clamp(min=_LOSS_FLOOR)
        of_loss.index_add_(0, items, scaled[mask].double())
        of_score.index_add_(0, items, found.of_score[mask].double())
        level = torch.searchsorted(levels, tasks.support.ratings[mask].contiguous())
        ratings.index_put_((items, level), ratings.new_ones(()), accumulate=True)
    pairs = ratings.sum(1)
    known = torch.nonzero(pairs > 0).squeeze(1).cpu()
    pairs, shares = pairs.cpu()[known], (ratings.cpu()[known])
    shares = shares / pairs.unsqueeze(1)
    n_interactions = torch.tensor(inputs.item_profiles["n_interactions"].to_numpy())
    return ItemValues(
        items=known,
        of_loss=of_loss.cpu()[known] / pairs,
        of_score=of_score.cpu()[known] / pairs,
        n_interactions=n_interactions[known - 1].double(),
        entropy=torch.special.entr(shares).sum(1),
    )
