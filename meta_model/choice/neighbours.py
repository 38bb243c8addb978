"""How near each item is to those that a user chose: item-to-item methods, which learn no factors.

    near(x) = (1 + s) (n(K x) + s n(B x)),   s = k / (k + 10),   n(v) = v / max |v|
    near(z) = n(C z) + s / 2   of a new item with an attribute of these items

z is 1 where the user is known to have chosen an item, and x is less where they did not like it and
where others followed it (`ChoiceModel.recency`). k counts the known interactions, but those of
earlier days than the list's count c^2 times, where c is the weight of the last one
(docs/adr/0033). The more are known, the more the neighbours are worth beside the factors
(docs/adr/0031). K_ij is how many users chose both items, over n_j^0.5 n_i^0.7, where n_i chose the
item i that may be listed: cosines (Deshpande and Karypis, ACM TOIS 2004) in which popularity counts
for less, because the factors' biases have it already. B are the weights of a linear model in closed
form (EASE, Steck, WWW 2019, equation 8), which gains more than cosines by every further item that
is known. Factors smooth over what few users chose together; neighbours remember it, and the two err
differently (Koren, KDD 2008).

C are the cosines of two items' attributes, which is all that is known of new items (docs/adr/0027).
More known interactions do not make attributes say more. They make other items nearer, and s / 2
keeps new items beside these (docs/adr/0040).

Shapes: B tasks, V training users, N items (by index from 1; column 0 is padding), M items of B.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from meta_model.choice.content import Content
from meta_model.choice.interactions import Interactions, known_items
from meta_model.choice.sparse import by_rows
from meta_model.data.features import Features
from meta_model.data.tasks import Tasks

_REGULARIZATION = 500.0
_HALF = 10  # k, with which s is half of what it can be
_POPULARITY = 0.7  # the exponent of n_i
_BESIDE = 0.5  # what s adds to a new item
_DISLIKED = 0.3  # x of an item that the user did not like
_MOST_ITEMS = 10_000  # M: the most popular ones, because B is an inverse of items by items


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """read: the interactions; nothing is read or computed before somebody asks what is near.

    items: the attributes of the catalogue; liked_from: the least rating of an item that is liked
    """

    read: Callable[[], Interactions]
    items: Features
    liked_from: float
    device: torch.device

    def near(self, tasks: Tasks, recency: Tensor) -> Tensor:
        """[B, N + 1]: the higher, the nearer; all 0 for a user without a known interaction.

        recency: how much each position of the support counts, [B, S]

        The values of items that the user is known to have chosen mean nothing: no list has them.
        """
        chosen = known_items(tasks, self.interactions.n_items)
        known = chosen * self._is_known
        weighted = known * self._weights(tasks, recency)
        # Through the users who chose both, so that no matrix of items by items is needed.
        by_item, by_user = self._scaled
        near = of_largest((by_item @ (by_user @ weighted.T)).T.masked_fill(known > 0, 0))
        of_earlier = recency.amax(1).square() * tasks.is_earlier.sum(1)
        number = (tasks.n_of_day + of_earlier).unsqueeze(1)
        share = number / (number + _HALF)
        near = (1 + share) * (near + share * of_largest(self._by_linear_model(weighted)))
        of_new = of_largest(self._content.near(chosen))
        of_new = of_new + _BESIDE * share * (of_new > 0)
        return torch.where(self._is_known, near, of_new)

    def _weights(self, tasks: Tasks, recency: Tensor) -> Tensor:
        """x [B, N + 1] of the items that a user is known to have chosen; 1 of all others."""
        support = tasks.support
        liked = support.ratings >= self.liked_from
        weights = torch.ones(len(tasks), self.interactions.n_items + 1, device=tasks.users.device)
        places = tasks.items[support.rows] * support.mask
        return weights.scatter_(1, places, torch.where(liked, 1.0, _DISLIKED) * recency)

    def _by_linear_model(self, weighted: Tensor) -> Tensor:
        """B x [B, N + 1]; 0 of all but the most popular items."""
        popular, weights = self._linear
        scores = torch.zeros_like(weighted)
        # A user knows few of thousands of items: only their rows of B are read.
        scores[:, popular] = by_rows(weighted[:, popular].to_sparse()) @ weights
        return scores

    @cached_property
    def interactions(self) -> Interactions:
        """Read at the first call, and kept."""
        return self.read()

    @cached_property
    def _is_known(self) -> Tensor:
        """Whether anybody chose the item, [N + 1]."""
        return (self.interactions.counts > 0).to(self.device)

    @cached_property
    def _scaled(self) -> tuple[Tensor, Tensor]:
        """Who chose what, over n_i^0.7 sparse [N + 1, V], and over n_j^0.5 [V, N + 1]."""
        chosen, counts = self.interactions, self.interactions.counts.clamp(min=1).float()
        by_user, by_item = (
            chosen.matrix(counts.pow(-exponent)[chosen.items]) for exponent in (0.5, _POPULARITY)
        )
        return by_rows(by_item.t()).to(self.device), by_rows(by_user).to(self.device)

    @cached_property
    def _content(self) -> Content:
        return Content.of(self.items, self.device)

    @cached_property
    def _linear(self) -> tuple[Tensor, Tensor]:
        """The most popular items [M], and B [M, M] of these."""
        counts = self.interactions.counts
        popular = counts.argsort(descending=True, stable=True)[:_MOST_ITEMS]
        popular = popular[counts[popular] > 0].sort().values
        weights = ease(self.interactions, _REGULARIZATION, popular)
        return popular.to(self.device), weights.to(self.device)


def cosines(interactions: Interactions) -> Tensor:
    """K [N + 1, N + 1], its diagonal 0."""
    together = interactions.together()
    lengths = together.diagonal().clamp(min=1).sqrt()
    return (together / lengths / lengths.unsqueeze(1)).fill_diagonal_(0)


def ease(interactions: Interactions, regularization: float, items: Tensor | None = None) -> Tensor:
    """B [M, M] = I - P diag(1 / P_jj), P = (X^T X + l I)^-1; its diagonal 0.

    items: those that X has columns of, [M]; None: of all, [N + 1]

    Computed in place: of 20,000 items each copy of the matrix would take 3.2 GB more.
    """
    matrix = interactions.together(items).double()
    matrix.diagonal().add_(regularization)
    columns = matrix.mT  # the same, being symmetric; of a matrix by rows LAPACK would make a copy
    torch.linalg.cholesky(columns, out=columns)
    torch.cholesky_inverse(columns, out=columns)
    matrix.div_(-matrix.diagonal().clone())
    return matrix.float().fill_diagonal_(0)


def of_largest(scores: Tensor) -> Tensor:
    """The scores [B, N + 1] as shares of each user's largest."""
    return scores / scores.abs().amax(1, keepdim=True).clamp(min=1e-9)
