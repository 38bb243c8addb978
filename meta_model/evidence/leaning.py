"""How much a reaction to an item tells of the user: whether it goes along with how they lean.

A rating is above or below what the item gets, e; all else that the user rated says how they lean,
l. An item tells much where the two go along over the users who reacted to it, and where e is large
enough to move what is thought of a user (decision 19):

    e_ui  =  r_ui - mu - b_i,   l_ui  =  sum_{j != i} e_uj / (n_u - 1 + k_u)
    tells_i  =  correlation_u(e_ui, l_ui)^2  *  spread_i / widest
    spread_i  =  sqrt(mean_u e_ui^2)

with b_i and k_u of the damped bias (`baselines`), and moments about 0. `widest` is half the rating
scale: no spread about a mean is wider. A film that mild users like and harsh ones do not tells how
to read everything else; one that people fight over tells of itself alone, and one on which all
agree of nobody.

Shapes: B tasks, S support places, N items.
"""

from __future__ import annotations

import torch
from torch import Tensor

from meta_model.data.damping import ITEM_DAMPING, USER_DAMPING
from meta_model.data.item_statistics import ItemStatistics
from meta_model.data.tasks import Tasks

# Reactions like the average one that every item is given beside its own. Few show how wide an
# item's spread. Correlations differ from item to item by some 0.06, and by chance as much at 150 to
# 900 reactions (MovieLens, Douban Book); those that are listed are the highest, by luck or not.
_DAMPING_OF_CORRELATION = 1000.0
_DAMPING_OF_SPREAD = 20.0


def products(tasks: Tasks, statistics: ItemStatistics) -> Tensor:
    """e l, e e and l l at each support place, [B, S, 3]; a task is taken for all of its user."""
    places, support = statistics.support(tasks), tasks.support
    item_bias = places.deviation / (places.counts + ITEM_DAMPING)
    rest = (support.ratings - statistics.mean - item_bias) * support.mask
    n_others = support.mask.sum(1, keepdim=True) - 1
    leaning = (rest.sum(1, keepdim=True) - rest) / (n_others + USER_DAMPING)
    return torch.stack([rest * leaning, rest.square(), leaning.square()], dim=-1)


def tells(sums: Tensor, n_reactions: Tensor, widest: float) -> Tensor:
    """0..1 for each item, from the sums of the products over its reactions, [N, 3] and [N].

    Items with few are taken for the average one. Reactions against the leaning tell nothing: that
    is chance, where it is not a rating scale turned around. Where all ratings are the same, none
    tells anything.
    """
    average = sums.sum(0) / n_reactions.sum()
    both, of_rest, of_leaning = (sums + _DAMPING_OF_CORRELATION * average).unbind(1)
    total, n = sums[:, 1] + _DAMPING_OF_SPREAD * average[1], n_reactions + _DAMPING_OF_SPREAD
    spread = (total / n).sqrt() / widest
    variances = of_rest * of_leaning
    correlation = both.clamp(min=0).square() / torch.where(variances > 0, variances, 1)
    return correlation * spread.clamp(max=1)
