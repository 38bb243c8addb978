"""Scores of each item from existing users' reactions: what lists to ask about are made of.

The discriminative value of an item is its item-rest correlation (`discrimination`). MeLU
(section 3.3) has another one: the mean gradient norm of the reactions to the item. It
back-propagates a unit error, by scaling the loss L to L / |L|. With L = e^2 that scales the
gradient of the prediction by 2 |e| / e^2, which grows without bound as the error vanishes;
`_LOSS_FLOOR` is its bound. The gradient of the prediction itself needs no bound, and is computed
too. A choice of implicit feedback has no rating, so no correlation: there the discriminative value
is the paper's value, scaled to 0..1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.segments import ALL, segments
from meta_model.evidence.discrimination import discrimination, products
from meta_model.learners import Learner

_BATCH_TASKS = 256
_LOSS_FLOOR = 0.01  # of squared errors: a tenth of a star is no error worth the name


@dataclass(frozen=True, kw_only=True)
class ItemScores:
    """Of each of the N items that a segment's existing users reacted to, in order of item_index.

    discriminative: 0..1, item discrimination; of_loss, of_score: mean Frobenius norms
    of the gradients of the scaled loss and of the prediction; n_interactions: that training sees,
    of a segment those of its tasks; entropy: of the ratings that existing users gave, in nats.
    [N] each
    n_users: how many existing users the segment has
    """

    items: Tensor
    discriminative: Tensor
    of_loss: Tensor
    of_score: Tensor
    n_interactions: Tensor
    entropy: Tensor
    n_users: int


@torch.no_grad()
def item_scores(
    learner: Learner, inputs: Inputs, device: torch.device, *, min_users: int = 1
) -> Mapping[str, ItemScores]:
    """Of each segment, by its name, in one pass over the past of all existing users.

    min_users: existing users that a segment has to have; `all` is there with any number
    """
    learner.eval()
    known = segments(inputs, min_users)
    of_users = known.of_users.to(device)
    sums = _Sums(len(known.names), inputs, device)
    is_existing = torch.zeros(of_users.shape[1], dtype=torch.bool, device=device)
    # Existing users' past, whole: what is support and what is query makes no difference here.
    existing = inputs.episodes.split("train", "validation")
    for batch in batches(existing, _BATCH_TASKS, on=device):
        tasks = batch.whole()
        is_existing[tasks.users] = True
        found = learner.per_example_gradient_norms(tasks, learner.embed(tasks.items))
        # A sampled negative is no reaction that anyone had.
        is_reaction = tasks.support.ratings > 0 if inputs.is_implicit else True
        mask = tasks.support.mask & is_reaction
        items = tasks.items[tasks.support.rows]
        scaled = found.of_loss / found.losses.clamp(min=_LOSS_FLOOR)
        of_pairs = products(tasks, learner.statistics)
        for segment_of in of_users[:, tasks.users]:  # [B], by one feature
            counted = mask & (segment_of >= 0).unsqueeze(1)
            cells = (segment_of.unsqueeze(1) * sums.size + items)[counted]
            sums.add(
                cells,
                scaled[counted],
                found.of_score[counted],
                of_pairs[counted],
                tasks.support.ratings[counted],
            )
    # Not all interactions up to ds: held-out users would have a say in what they are asked.
    n_interactions = torch.tensor(inputs.item_profiles["train_n_ratings"].to_numpy())
    n_users = [int((of_users[:, is_existing] == n).sum()) for n in range(len(known.names))]
    return {
        name: sums.of_segment(number, n_users[number], n_interactions if name == ALL else None)
        for number, name in enumerate(known.names)
    }


class _Sums:
    """Sums over pairs of user and item, by segment and item: cell `segment * size + item`."""

    def __init__(self, n_segments: int, inputs: Inputs, device: torch.device) -> None:
        self.size = len(inputs.item_profiles) + 1
        self.is_implicit = inputs.is_implicit
        self.levels = torch.tensor(inputs.rating_levels, device=device)
        n = n_segments * self.size
        self.of_loss, self.of_score = (
            torch.zeros(n, dtype=torch.float64, device=device) for _ in range(2)
        )
        self.of_pairs = torch.zeros(n, 3, dtype=torch.float64, device=device)
        self.ratings = torch.zeros(n, len(self.levels), dtype=torch.float64, device=device)

    def add(
        self,
        cells: Tensor,
        of_loss: Tensor,
        of_score: Tensor,
        of_pairs: Tensor,
        ratings: Tensor,
    ) -> None:
        """Pairs [P]; `of_pairs` are the products that discrimination is made of, [P, 3]."""
        self.of_loss.index_add_(0, cells, of_loss.double())
        self.of_score.index_add_(0, cells, of_score.double())
        self.of_pairs.index_add_(0, cells, of_pairs.double())
        level = torch.searchsorted(self.levels, ratings.contiguous())
        self.ratings.index_put_((cells, level), self.ratings.new_ones(()), accumulate=True)

    def of_segment(self, number: int, n_users: int, n_interactions: Tensor | None) -> ItemScores:
        """`n_interactions`: of every item; without, the segment's pairs count."""
        cells = slice(number * self.size, (number + 1) * self.size)
        ratings = self.ratings[cells].cpu()
        pairs = ratings.sum(1)
        items = torch.nonzero(pairs > 0).squeeze(1)
        pairs = pairs[items]
        of_loss = self.of_loss[cells].cpu()[items] / pairs
        discriminative = unit_scaled(of_loss)
        if not self.is_implicit:
            widest = (self.levels.max() - self.levels.min()).item() / 2
            of_pairs = self.of_pairs[cells].cpu()[items]
            discriminative = discrimination(of_pairs, pairs, widest)
        return ItemScores(
            items=items,
            discriminative=discriminative,
            of_loss=of_loss,
            of_score=self.of_score[cells].cpu()[items] / pairs,
            n_interactions=pairs if n_interactions is None else n_interactions[items - 1].double(),
            entropy=torch.special.entr(ratings[items] / pairs.unsqueeze(1)).sum(1),
            n_users=n_users,
        )


def unit_scaled(values: Tensor) -> Tensor:
    """Spread over 0..1; all 1 where there is nothing to spread."""
    spread = values.max() - values.min()
    return (values - values.min()) / spread if spread > 0 else torch.ones_like(values)
