"""How near each item is to those that a user chose: item-to-item methods, which learn no factors.

    near(x) = n(K x) + g n(B x),   n(v) = v / max |v|
    near(x) = c - h (c - n(C x))   of a new item, where c is n(C x) of the nearest new item

x is 1 where the user is known to have chosen an item. K holds the cosines of two items' users
(Deshpande and Karypis, ACM TOIS 2004), B the weights of a linear model in closed form (EASE, Steck,
WWW 2019, equation 8), and C the cosines of two items' attributes, which is all that is known of new
items (docs/adr/0027). Factors smooth over what few users chose together; neighbours remember it,
and the two err differently (Koren, KDD 2008).

Shapes: B tasks, V training users, N items (by index from 1; column 0 is padding).
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
_SHARE = 0.3  # g
_STEEPNESS = 2.5  # h: among new items attributes say more than the factors made of them
_MOST_ITEMS = 10_000  # B is the inverse of a matrix of items by items


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """read: the interactions; nothing is read or computed before somebody asks what is near.

    items: the attributes of the catalogue
    """

    read: Callable[[], Interactions]
    items: Features
    device: torch.device

    def near(self, tasks: Tasks) -> Tensor:
        """[B, N + 1]: the higher, the nearer; all 0 for a user without a known interaction.

        Of a large catalogue cosines alone say what is near.
        """
        chosen = known_items(tasks, self.interactions.n_items)
        known = chosen * self._is_known
        # Through the users who chose both, so that no matrix of items by items is needed.
        by_item, by_user = self._scaled
        near = of_largest((by_item @ (by_user @ known.T)).T - known)
        if self.interactions.n_items <= _MOST_ITEMS:
            near = near + _SHARE * of_largest(known @ self._linear)
        return torch.where(self._is_known, near, self._near_by_content(chosen))

    def _near_by_content(self, chosen: Tensor) -> Tensor:
        """[B, N + 1], for new items, of chosen [B, N + 1]."""
        near = of_largest(self._content.near(chosen))
        nearest = near.masked_fill(self._is_known, 0).amax(1, keepdim=True)
        return nearest - _STEEPNESS * (nearest - near)

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
        """Who chose what, each item over its length: sparse [N + 1, V], and [V, N + 1]."""
        lengths = self.interactions.counts.clamp(min=1).sqrt().float()
        by_user = self.interactions.matrix(1 / lengths[self.interactions.items])
        return by_rows(by_user.t()).to(self.device), by_rows(by_user).to(self.device)

    @cached_property
    def _content(self) -> Content:
        return Content.of(self.items, self.device)

    @cached_property
    def _linear(self) -> Tensor:
        """B [N + 1, N + 1]."""
        return ease(self.interactions, _REGULARIZATION).to(self.device)


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


def of_largest(scores: Tensor) -> Tensor:
    """The scores [B, N + 1] as shares of each user's largest."""
    return scores / scores.abs().amax(1, keepdim=True).clamp(min=1e-9)
