"""How near each item is to those that a user chose: item-to-item methods, which learn no factors.

    near(x) = n(K x) + g n(B x),   n(v) = v / max |v|

x is 1 where the user is known to have chosen an item. K holds the cosines of two items' users
(Deshpande and Karypis, ACM TOIS 2004), B the weights of a linear model in closed form (EASE, Steck,
WWW 2019, equation 8). Factors smooth over what few users chose together; neighbours remember it,
and the two err differently (Koren, KDD 2008).

Shapes: B tasks, V training users, N items (by index from 1; column 0 is padding).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.choice.interactions import Interactions, known_items
from meta_model.data.tasks import Tasks

_REGULARIZATION = 500.0
_SHARE = 0.3  # g
_MOST_ITEMS = 10_000  # B is the inverse of a matrix of items by items


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """scaled: who chose what, each item's column over its length, sparse [V, N + 1]

    linear: B [N + 1, N + 1]; None of large catalogues, whose items are near by cosines alone
    is_known: [N + 1], whether anybody chose the item
    """

    scaled: Tensor
    linear: Tensor | None
    is_known: Tensor

    @staticmethod
    def of(interactions: Interactions, device: torch.device) -> Neighbours:
        lengths = interactions.counts.clamp(min=1).sqrt().float()
        chosen = interactions.matrix()
        scaled = torch.sparse_coo_tensor(
            chosen._indices(), 1 / lengths[interactions.items], chosen.shape, check_invariants=True
        )
        is_small = interactions.n_items <= _MOST_ITEMS
        linear = ease(interactions, _REGULARIZATION) if is_small else None
        return Neighbours(
            scaled=scaled.coalesce().to(device),
            linear=None if linear is None else linear.to(device),
            is_known=(interactions.counts > 0).to(device),
        )

    def near(self, tasks: Tasks) -> Tensor:
        """[B, N + 1]: the higher, the nearer; all 0 for a user without a known interaction.

        A new item, which has no neighbours, is as near as the other items are on average.
        """
        known = known_items(tasks, self.scaled.shape[1] - 1) * self.is_known
        # Through the users who chose both, so that no matrix of items by items is needed.
        cosines = (self.scaled.t() @ (self.scaled @ known.T)).T - known
        near = _of_largest(cosines)
        if self.linear is not None:
            near = near + _SHARE * _of_largest(known @ self.linear)
        mean = near.sum(1, keepdim=True) / self.is_known.sum().clamp(min=1)
        return torch.where(self.is_known, near, mean)


def cosines(interactions: Interactions) -> Tensor:
    """K [N + 1, N + 1], its diagonal 0."""
    together = interactions.together()
    lengths = together.diagonal().clamp(min=1).sqrt()
    return (together / lengths / lengths.unsqueeze(1)).fill_diagonal_(0)


def ease(interactions: Interactions, regularization: float) -> Tensor:
    """B [N + 1, N + 1] = I - P diag(1 / P_jj), P = (X^T X + l I)^-1; its diagonal 0."""
    gram = interactions.together().double()
    gram.diagonal().add_(regularization)
    inverse = torch.linalg.inv(gram)
    weights: Tensor = -inverse / inverse.diagonal()
    return weights.float().fill_diagonal_(0)


def _of_largest(scores: Tensor) -> Tensor:
    """The scores [B, N + 1] as shares of each user's largest."""
    return scores / scores.abs().amax(1, keepdim=True).clamp(min=1e-9)
