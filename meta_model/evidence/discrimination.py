"""Item discrimination: the item-rest correlation of classical test theory.

A test item discriminates if those who score high on it score high on the rest of the test (the
corrected item-total correlation: Henrysson, Psychometrika 28, 1963; Lord and Novick, Statistical
Theories of Mental Test Scores, 1968). Here the items are films, say, the score of an item is the
residual e of a user's rating, and the score of the rest is l, the damped mean of the residuals of
the other ratings in the same task. A task is a window of a user's past, and a user with a long past
has several; each of them counts. An item discriminates if lenient users rate it high and harsh
users low. It also has to move the estimate of a user, so the spread of e counts too (decision 19):

    e_ui  =  r_ui - mu - b_i,   l_ui  =  sum_{j != i} e_uj / (n_u - 1 + k_u),   j in the window u
    discrimination_i  =  correlation_u(e_ui, l_ui)^2  *  spread_i / widest
    spread_i  =  sqrt(mean_u e_ui^2)

with b_i and k_u of the damped bias (`baselines`), and moments about 0. `widest` is half the rating
scale: no spread about a mean is wider. An item that users disagree about for reasons of its own has
a low correlation, and an item that all users rate alike has a low spread.

Shapes: B tasks, S support positions, N items.
"""

from __future__ import annotations

import torch
from torch import Tensor

from meta_model.data.item_statistics import ITEM_DAMPING, USER_DAMPING, ItemStatistics
from meta_model.data.tasks import Tasks

# Average reactions that are added to the reactions of each item. The spread of an item shows after
# few reactions. Correlations differ from item to item by some 0.06, and by chance as much at 150 to
# 900 reactions (MovieLens, Douban Book); without damping the list would hold the luckiest items.
_DAMPING_OF_CORRELATION = 1000.0
_DAMPING_OF_SPREAD = 20.0


def products(tasks: Tasks, statistics: ItemStatistics) -> Tensor:
    """e l, e e and l l at each support position, [B, S, 3]; a support has to be a whole window."""
    of_items, support = statistics.support(tasks), tasks.support
    item_bias = of_items.deviation / (of_items.counts + ITEM_DAMPING)
    residual = (support.ratings - statistics.mean - item_bias) * support.mask
    n_others = support.mask.sum(1, keepdim=True) - 1
    rest = (residual.sum(1, keepdim=True) - residual) / (n_others + USER_DAMPING)
    return torch.stack([residual * rest, residual.square(), rest.square()], dim=-1)


def discrimination(sums: Tensor, n_reactions: Tensor, widest: float) -> Tensor:
    """0..1 for each item, from the sums of the products over its reactions, [N, 3] and [N].

    Items with few reactions are close to the average. A negative correlation counts as 0: it is
    chance, unless the rating scale is reversed. If all ratings are equal, every item has 0.
    """
    average = sums.sum(0) / n_reactions.sum()
    both, of_residual, of_rest = (sums + _DAMPING_OF_CORRELATION * average).unbind(1)
    total, n = sums[:, 1] + _DAMPING_OF_SPREAD * average[1], n_reactions + _DAMPING_OF_SPREAD
    spread = (total / n).sqrt() / widest
    variances = of_residual * of_rest
    correlation = both.clamp(min=0).square() / torch.where(variances > 0, variances, 1)
    return correlation * spread.clamp(max=1)
