"""Forward selection of a list: each item is the one that, asked next, makes recommendation best.

    gain_i  =  mean_v [ log P(liked_v | answers to list + i) - log P(liked_v | answers to list) ]

over existing users v who play new ones: the model knows their attributes, and what they answer.
P(liked_v | .) is the geometric mean of the probabilities of the items that v likes and is not
asked about, in the softmax of the model of choices. A user who does not know item i gains nothing,
so that how many can answer is a part of the gain. Answers change the posterior by rank-one updates
(`choice.posterior`) instead of adapting again.

Gains fall as the list grows, nearly always: a gain computed for a shorter list serves as a
bound, and is computed again only when it is the largest (lazy evaluation, Minoux 1978). An
incumbent is kept unless another item is better beyond chance: yesterday's list stays where today
has nothing better, and a segment's list is everyone's where its users do not differ.

Shapes: U users, C candidates, N items, F factors, K ranks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import torch
from torch import Tensor

from meta_model.choice.model import LIKE, ChoiceModel
from meta_model.choice.posterior import Posterior
from meta_model.evidence.existing import Existing

_CELLS = 2**22  # logits that are held at once
# Standard errors by which an item has to be better than an incumbent. The best of hundreds is
# ahead by two or three of them by chance alone.
_BEYOND_CHANCE = 3.0


@torch.no_grad()
def forward_selection(
    model: ChoiceModel, existing: Existing, k: int, incumbents: Sequence[int] = ()
) -> Tensor:
    """At most `k` candidates, by item index [K], in order; none that no existing user knows."""
    search = Search(model, existing)
    bounds = torch.stack([search.gains(n).mean() for n in range(len(existing.candidates))])
    bounds[~existing.knows.any(0)] = -torch.inf
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
    return existing.candidates.cpu()[torch.tensor(chosen, dtype=torch.int64)]


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


class Search:
    """What existing users have answered so far, and what one more question would gain."""

    def __init__(self, model: ChoiceModel, existing: Existing) -> None:
        self.model, self.existing, self.items = model, existing, model.items()
        self.factors = self.items.factors[existing.candidates]
        self.posterior = Posterior.of_unknown(model, existing.users, self.items.factors)
        self.unasked = self.posterior[existing.users.new_zeros(1)]  # its covariance is everyone's
        self.is_left = model.is_trained.clone()  # [N + 1], what may be recommended
        self.is_left[0] = False
        # What a user likes counts by sums alone, so that no list of it is gone through again.
        n_users = len(existing)
        pairs = (existing.liked_rows, existing.liked_items)
        self.liked_factors = torch.zeros(n_users, self.factors.shape[1], device=self.factors.device)
        self.liked_factors.index_add_(0, pairs[0], self.items.factors[pairs[1]])
        self.liked_biases = torch.zeros(n_users, device=self.factors.device)
        self.liked_biases.index_add_(0, pairs[0], self.items.biases[LIKE, pairs[1]])
        self.n_liked = pairs[0].bincount(minlength=n_users)

    @cached_property
    def log_sums(self) -> Tensor:
        """The logarithms of the softmax's denominators after the answers so far, [U]."""
        return self._log_sums(self.posterior.means)

    def logits(self, means: Tensor) -> Iterator[Tensor]:
        """Of users' tastes [U, F], block by block [B, N + 1]; -inf for what is not recommended."""
        left = torch.where(self.is_left, 0.0, -torch.inf)
        for block in means.split(max(1, _CELLS // len(left))):
            yield self.model.logits(block, self.items) + left

    def gains(self, candidate: int) -> Tensor:
        """What asking about the candidate would gain each user, [U] in nats; 0 without answer."""
        rows = self.existing.knows[:, candidate].nonzero().squeeze(1)
        factors = self.factors[candidate].expand(len(rows), -1)
        answers = self.model.answers(self.existing.ratings[rows, candidate])
        means = self.posterior[rows].means_after(factors, answers)
        gained = self.log_sums.new_zeros(len(self.existing))
        gained[rows] = self._likelihood(
            means, self._log_sums(means), rows, candidate
        ) - self._likelihood(self.posterior.means[rows], self.log_sums[rows], rows, candidate)
        return gained

    def redundancy(self, candidate: int) -> float:
        """The share of an answer that the answers so far already predict, 0..1.

        The share of the answer's variance that they removed, mean over the users who know the item.
        """
        factors, knows = self.factors[candidate], self.existing.knows[:, candidate]
        left = self.posterior[knows].variances(factors).mean() / self.unasked.variances(factors)
        return float((1 - left).clamp(min=0))

    def ask(self, candidate: int) -> None:
        """Everyone answers about the candidate who knows it; it is recommended to nobody more."""
        knows, liked = self.existing.knows[:, candidate], self.existing.is_liked[:, candidate]
        factors = self.factors[candidate].expand(len(knows), -1)
        answers = self.model.answers(self.existing.ratings[:, candidate])
        self.posterior = self.posterior.after(factors, answers, knows)
        item = self.existing.candidates[candidate]
        self.is_left[item] = False
        self.liked_factors -= liked.unsqueeze(1) * factors
        self.liked_biases -= liked * self.items.biases[LIKE, item]
        self.n_liked -= liked.long()
        vars(self).pop("log_sums", None)  # those of the question before

    def _likelihood(self, means: Tensor, log_sums: Tensor, rows: Tensor, candidate: int) -> Tensor:
        """The mean log probability of what each of the users likes but for the candidate."""
        item, scale = self.existing.candidates[candidate], self.model.log_scale[LIKE].exp()
        logits = scale * (means @ self.factors[candidate]) + self.items.biases[LIKE, item]
        # Without the candidate in the softmax. float32 cannot represent shares still nearer to 1.
        others = log_sums + torch.log1p(-(logits - log_sums).exp().clamp(max=1 - 1e-6))
        is_liked = self.existing.is_liked[rows, candidate]
        n_liked = self.n_liked[rows] - is_liked.long()
        total = scale * (means * self.liked_factors[rows]).sum(1) + self.liked_biases[rows]
        found = (total - is_liked * logits) / n_liked.clamp(min=1) - others
        return torch.where(n_liked > 0, found, 0)

    def _log_sums(self, means: Tensor) -> Tensor:
        return torch.cat([block.logsumexp(1) for block in self.logits(means)])
