"""Forward selection of a list: each item is the one that, asked next, gains most.

Gains (`evidence.search`) fall as the list grows, nearly always: a gain computed for a shorter list
serves as a bound, and is computed again only when it is the largest (lazy evaluation, Minoux 1978).
An incumbent is kept unless another item is better beyond chance: yesterday's list stays where today
has nothing better, and a segment's list is everyone's where its users do not differ.

Shapes: U users, K ranks.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from meta_model.choice.model import ChoiceModel
from meta_model.evidence.existing import Existing
from meta_model.evidence.search import Search

# Standard errors by which an item has to be better than an incumbent. The best of hundreds is
# ahead by two or three of them by chance alone.
_BEYOND_CHANCE = 3.0


@torch.no_grad()
def forward_selection(
    model: ChoiceModel, existing: Existing, k: int, incumbents: Sequence[int] = ()
) -> Tensor:
    """At most `k` candidates, by item index [K], in order; none that no existing user knows."""
    search = Search(model, existing)
    columns = grown(search, search.first_gains().mean(1), k, incumbents)
    return existing.candidates.cpu()[columns]


def grown(search: Search, first_gains: Tensor, k: int, incumbents: Sequence[int] = ()) -> Tensor:
    """The same as places among the candidates, of a search that has asked nothing so far.

    first_gains: of the candidates, mean over users [C]
    """
    existing = search.existing
    bounds = first_gains.masked_fill(~existing.knows.any(0), -torch.inf)
    is_incumbent = torch.isin(existing.candidates.cpu(), torch.tensor(incumbents).long())
    bounds, chosen = bounds.cpu(), []
    for _ in range(min(k, int((bounds > -torch.inf).sum()))):
        fresh: dict[int, Tensor] = {}
        best = _largest(search, bounds, fresh)
        held = bounds.masked_fill(~is_incumbent, -torch.inf)
        if not is_incumbent[best] and held.max() > -torch.inf:
            incumbent = _largest(search, held, fresh)
            if not _is_beyond_chance(fresh[best] - fresh[incumbent]):
                best = incumbent
        for candidate, gains in fresh.items():
            bounds[candidate] = gains.mean()
        bounds[best] = -torch.inf
        chosen.append(best)
        search.ask(best)
    return torch.tensor(chosen, dtype=torch.int64)


def _largest(search: Search, bounds: Tensor, fresh: dict[int, Tensor]) -> int:
    """The candidate of the largest gain, where `bounds` are gains of some shorter list."""
    bounds = bounds.clone()
    for candidate, gains in fresh.items():
        if bounds[candidate] > -torch.inf:
            bounds[candidate] = gains.mean()
    while (best := int(bounds.argmax())) not in fresh:
        fresh[best] = search.gains(best)
        bounds[best] = fresh[best].mean()
    return best


def _is_beyond_chance(differences: Tensor) -> bool:
    """Whether the mean of paired differences [U] is above 0 by more than chance explains."""
    error = differences.std() / len(differences) ** 0.5
    return bool(differences.mean() > _BEYOND_CHANCE * error)
