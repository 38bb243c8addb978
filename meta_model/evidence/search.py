"""What existing users who play new ones have answered so far, and what one more question gains.

    gain_i  =  mean_v  sum_t [ W_t(v; answers to list + i) - W_t(v; answers to list) ] / g_t

over existing users v: the model knows their attributes, and what they answer, be it that they do
not know the item. W has two measures of what v likes and is not asked about, by the softmax of the
model of choices:

    W_1  =  mean over the items of log p
    W_2  =  sum over the items of 1 - (1 - p)^10, divided by their number, by 10 at most

W_1 is their likelihood, W_2 how many of them ten draws find, as a short list does. By W_1 alone one
question can leave lists worse than none; by W_2 alone a long list asks about what everybody knows
(docs/adr/0036). g_t, the largest gain of a first question by W_t, makes both count alike. Answers
change the posterior by rank-one updates (`choice.posterior`) instead of adapting again, where what
is expected of an answer is the share of all users who know the item.

Shapes: U users, C candidates, N items, F factors, P liked items of users.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from meta_model.choice.model import LIKE, ChoiceModel
from meta_model.choice.posterior import Posterior
from meta_model.evidence.existing import Existing

_CELLS = 2**22  # logits that are held at once
_DRAWS = 10  # of W_2: as many as nDCG@10 judges
# float32 cannot represent shares still nearer to 1.
_MOST = 1 - 1e-6


class _WithoutAnswer(NamedTuple):
    """Users who do not know a candidate, asked first: the tastes of all move alike.

    log_sums: the logarithms of the denominators afterwards [U]; drift: of each item's logit [N + 1]
    """

    log_sums: Tensor
    drift: Tensor


class Search:
    """The state of asking existing users one question after the other."""

    def __init__(self, model: ChoiceModel, existing: Existing) -> None:
        self.model, self.existing, self.items = model, existing, model.items()
        self.factors = self.items.factors[existing.candidates]
        self.posterior = Posterior.of_unknown(model, existing.users, self.items.factors)
        self.unasked = self.posterior[existing.users.new_zeros(1)]  # its covariance is everyone's
        self.is_left = model.is_trained.clone()  # [N + 1], what may be recommended
        self.is_left[0] = False
        self.units = self.factors.new_ones(2)  # g, once `first_gains` has set them

    @cached_property
    def now(self) -> tuple[Tensor, Tensor]:
        """`_softmax` after the answers so far: [U], and [P] of all that `existing` like."""
        return self._softmax(
            self.posterior.means, self.existing.liked_rows, self.existing.liked_items
        )

    def logits(self, means: Tensor) -> Iterator[Tensor]:
        """Of users' tastes [U, F], block by block [B, N + 1]; -inf for what is not recommended."""
        left = torch.where(self.is_left, 0.0, -torch.inf)
        for block in means.split(max(1, _CELLS // len(left))):
            yield self.model.logits(block, self.items) + left

    def first_gains(self) -> Tensor:
        """What each candidate gains each user as the first question [C, U]; sets `units`."""
        risen = torch.stack([self.rises(*each) for each in enumerate(self._without_answers())])
        largest = risen.mean(2).amax(0)
        self.units = torch.where(largest > 0, largest, 1)
        return (risen / self.units.unsqueeze(1)).sum(1)

    def gains(self, candidate: int) -> Tensor:
        """What asking about the candidate would gain each user, [U]."""
        return (self.rises(candidate) / self.units.unsqueeze(1)).sum(0)

    def rises(self, candidate: int, without: _WithoutAnswer | None = None) -> Tensor:
        """How far W_1 and W_2 of each user rise if asked about the candidate, [2, U].

        without: of the first question, what is known of the users who do not know the candidate
        """
        rows, liked = self.existing.liked_rows, self.existing.liked_items
        log_sums, logits = self.now
        counts = self.is_left[liked] & (liked != self.existing.candidates[candidate])
        rows, liked, logits = rows[counts], liked[counts], logits[counts]
        before = self._worth(self.posterior.means, log_sums, logits, rows, candidate)
        means = self.posterior.means_after(*self._answers(candidate))
        if without is None:
            after = self._softmax(means, rows, liked)
        else:
            after = (without.log_sums.clone(), logits + without.drift[liked])
            knows = self.existing.knows[:, candidate]
            pairs = knows[rows]
            of_knowing = (knows.cumsum(0) - 1)[rows[pairs]]
            after[0][knows], after[1][pairs] = self._softmax(means[knows], of_knowing, liked[pairs])
        return self._worth(means, *after, rows, candidate) - before

    def redundancy(self, candidate: int) -> float:
        """The share of an answer that the answers so far already predict, 0..1.

        The share of the answer's variance that they removed, mean over the users who know the item.
        """
        factors, knows = self.factors[candidate], self.existing.knows[:, candidate]
        left = self.posterior[knows].variances(factors).mean() / self.unasked.variances(factors)
        return float((1 - left).clamp(min=0))

    def ask(self, candidate: int) -> None:
        """Everyone answers about the candidate; it is recommended to nobody more."""
        self.posterior = self.posterior.after(*self._answers(candidate))
        self.is_left[self.existing.candidates[candidate]] = False
        vars(self).pop("now", None)  # those of the question before

    def _answers(self, candidate: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The item's factors [U, F], the answers about it, who knows it, and its rate, [U] each."""
        existing, item = self.existing, self.existing.candidates[candidate]
        return (
            self.factors[candidate].expand(len(existing), -1),
            self.model.answers(existing.ratings[:, candidate]),
            existing.knows[:, candidate],
            existing.answer_rates[item].expand(len(existing)),
        )

    def _without_answers(self) -> Iterator[_WithoutAnswer]:
        """Of each candidate, in products of matrices: a softmax for each would take minutes."""
        rates = self.existing.answer_rates[self.existing.candidates]
        steps = self.unasked.covariances[0] @ self.factors.mT * -rates  # [F, C]
        drifts = self.model.log_scale[LIKE].exp() * (self.items.factors @ steps)
        weights, log_sums = drifts.exp(), []
        for block in self.logits(self.posterior.means):
            moved = (block.softmax(1) @ weights).log()
            log_sums.append(block.logsumexp(1, keepdim=True) + moved)
        yield from map(_WithoutAnswer, torch.cat(log_sums).unbind(1), drifts.unbind(1))

    def _worth(
        self, means: Tensor, log_sums: Tensor, logits: Tensor, rows: Tensor, candidate: int
    ) -> Tensor:
        """W_1 and W_2 [2, U] of users of tastes [U, F] and liked items [P] of their rows."""
        item, scale = self.existing.candidates[candidate], self.model.log_scale[LIKE].exp()
        own = scale * (means @ self.factors[candidate]) + self.items.biases[LIKE, item]
        # Without the candidate in the softmax.
        others = log_sums + torch.log1p(-(own - log_sums).exp().clamp(max=_MOST))
        log_p = logits - others[rows]
        found = -torch.expm1(_DRAWS * torch.log1p(-log_p.exp().clamp(max=_MOST)))
        sums = log_p.new_zeros(2, len(means)).index_add_(1, rows, torch.stack([log_p, found]))
        n_liked = rows.bincount(minlength=len(means)).clamp(min=1)
        return sums / torch.stack([n_liked, n_liked.clamp(max=_DRAWS)])

    def _softmax(self, means: Tensor, rows: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """The logarithms of the denominators [U] of tastes [U, F], and the items' logits [P]."""
        # Users of the same attributes and answers have one taste: of the first question, most do.
        tastes, of_user = means.unique(dim=0, return_inverse=True)
        of_pair, sums, start = of_user[rows], [], 0
        logits = means.new_empty(len(rows))
        for block in self.logits(tastes):
            stop = start + len(block)
            is_here = (of_pair >= start) & (of_pair < stop)
            logits[is_here] = block[of_pair[is_here] - start, items[is_here]]
            sums.append(block.logsumexp(1))
            start = stop
        return torch.cat(sums)[of_user], logits
