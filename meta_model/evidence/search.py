"""What existing users who play new ones have answered so far, and what one more question gains.

    gain_i  =  mean_v  sum_t [ W_t(v; answers to list + i) - W_t(v; answers to list) ] / g_t

over existing users v: the model knows their attributes, and what they answer. A user who does not
know item i gains nothing, so that how many can answer is a part of the gain: what not knowing says
(`choice.posterior`) depends on how much a user has met, and new users have met little
(docs/adr/0037). W has two measures of what v likes and is not asked about, by the softmax of the
model of choices:

    W_1  =  mean over the items of log p
    W_2  =  sum over the items of 1 - (1 - p)^10, divided by their number, by 10 at most

W_1 is their likelihood, W_2 how many of them ten draws find, as a short list does. By W_1 alone one
question can leave lists worse than none; by W_2 alone a long list asks about what everybody knows
(docs/adr/0036). g_t, the largest gain of a first question by W_t, makes both count alike. Answers
change the posterior by rank-one updates (`choice.posterior`) instead of adapting again.

Shapes: U users, R users who know an item, C candidates, N items, F factors, P liked items of users.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from meta_model.choice.model import LIKE, ChoiceModel
from meta_model.choice.posterior import Posterior
from meta_model.evidence.existing import Existing

_CELLS = 2**22  # logits that are held at once
_DRAWS = 10  # of W_2: as many as nDCG@10 judges
# float32 cannot represent shares still nearer to 1.
_MOST = 1 - 1e-6


class Search:
    """The state of asking existing users one question after the other."""

    def __init__(self, model: ChoiceModel, existing: Existing) -> None:
        self.model, self.existing, self.items = model, existing, model.items()
        self.factors = self.items.factors[existing.candidates]
        self.posterior = Posterior.of_unknown(model, existing.users, self.items.factors)
        self.unasked = self.posterior[existing.users.new_zeros(1)]  # its covariance is everyone's
        self.is_left = model.is_trained.clone()  # [N + 1], what may be recommended
        self.is_left[0] = False
        # `existing` has what users like in the order of its users.
        self.n_liked = existing.liked_rows.bincount(minlength=len(existing))
        self.first_liked = self.n_liked.cumsum(0) - self.n_liked
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
        columns = range(len(self.existing.candidates))
        risen = torch.stack([self.rises(column) for column in columns])
        largest = risen.mean(2).amax(0)
        self.units = torch.where(largest > 0, largest, 1)
        return (risen / self.units.unsqueeze(1)).sum(1)

    def gains(self, candidate: int) -> Tensor:
        """What asking about the candidate would gain each user, [U]; 0 without an answer."""
        return (self.rises(candidate) / self.units.unsqueeze(1)).sum(0)

    def rises(self, candidate: int) -> Tensor:
        """How far W_1 and W_2 of each user rise if asked about the candidate, [2, U]."""
        rows = self.existing.knows[:, candidate].nonzero().squeeze(1)
        factors = self.factors[candidate].expand(len(rows), -1)
        answers = self.model.answers(self.existing.ratings[rows, candidate])
        means = self.posterior[rows].means_after(factors, answers, torch.ones_like(rows) > 0)
        of_row, pairs = self._liked(rows)
        liked = self.existing.liked_items[pairs]
        counts = self.is_left[liked] & (liked != self.existing.candidates[candidate])
        of_row, pairs, liked = of_row[counts], pairs[counts], liked[counts]
        log_sums, logits = self.now
        risen = log_sums.new_zeros(2, len(self.existing))
        risen[:, rows] = self._worth(
            means, *self._softmax(means, of_row, liked), of_row, candidate
        ) - self._worth(
            self.posterior.means[rows], log_sums[rows], logits[pairs], of_row, candidate
        )
        return risen

    def redundancy(self, candidate: int) -> float:
        """The share of an answer that the answers so far already predict, 0..1.

        The share of the answer's variance that they removed, mean over the users who know the item.
        """
        factors, knows = self.factors[candidate], self.existing.knows[:, candidate]
        left = self.posterior[knows].variances(factors).mean() / self.unasked.variances(factors)
        return float((1 - left).clamp(min=0))

    def ask(self, candidate: int) -> None:
        """Everyone answers about the candidate who knows it; it is recommended to nobody more."""
        knows = self.existing.knows[:, candidate]
        factors = self.factors[candidate].expand(len(knows), -1)
        answers = self.model.answers(self.existing.ratings[:, candidate])
        self.posterior = self.posterior.after(factors, answers, knows)
        self.is_left[self.existing.candidates[candidate]] = False
        vars(self).pop("now", None)  # those of the question before

    def _worth(
        self, means: Tensor, log_sums: Tensor, logits: Tensor, of_row: Tensor, candidate: int
    ) -> Tensor:
        """W_1 and W_2 [2, R] of users of tastes [R, F] and liked items [P] of their rows."""
        item, scale = self.existing.candidates[candidate], self.model.log_scale[LIKE].exp()
        own = scale * (means @ self.factors[candidate]) + self.items.biases[LIKE, item]
        # Without the candidate in the softmax.
        others = log_sums + torch.log1p(-(own - log_sums).exp().clamp(max=_MOST))
        log_p = logits - others[of_row]
        found = -torch.expm1(_DRAWS * torch.log1p(-log_p.exp().clamp(max=_MOST)))
        sums = log_p.new_zeros(2, len(means)).index_add_(1, of_row, torch.stack([log_p, found]))
        n_liked = of_row.bincount(minlength=len(means)).clamp(min=1)
        return sums / torch.stack([n_liked, n_liked.clamp(max=_DRAWS)])

    def _liked(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Of what users of these rows like, [P]: the place in `rows`, and that in `existing`."""
        counts = self.n_liked[rows]
        of_row = torch.arange(len(rows), device=rows.device).repeat_interleave(counts)
        before = (counts.cumsum(0) - counts)[of_row]
        of_user = torch.arange(len(of_row), device=rows.device) - before
        return of_row, self.first_liked[rows][of_row] + of_user

    def _softmax(self, means: Tensor, of_row: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """The logarithms of the denominators [R] of tastes [R, F], and the items' logits [P]."""
        sums, logits, start = [], [], 0
        ends = F.pad(of_row.bincount(minlength=len(means)).cumsum(0), (1, 0)).tolist()
        for block in self.logits(means):
            stop = start + len(block)
            pairs = slice(ends[start], ends[stop])
            sums.append(block.logsumexp(1))
            logits.append(block[of_row[pairs] - start, items[pairs]])
            start = stop
        return torch.cat(sums), torch.cat(logits)
