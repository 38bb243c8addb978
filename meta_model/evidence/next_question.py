"""The next question to one user, given the answers so far.

    worth_i  =  (P(knows i) gain_i  +  (1 - P(knows i)) gain'_i)  *  (e_i^T C e_i) / (e_i^T C_0 e_i)

gain_i and gain'_i are what an answer about item i, asked first, adds to recommendations (`search`),
mean over the existing users who know the item, and over those who do not. P(knows i) is the share
of those who do, times how much likelier than an unknown user this one is to choose the item. The
last factor is the share of the answer's variance that the answers so far have left.

Shapes: U users, C candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.choice.model import LIKE, ChoiceModel
from meta_model.choice.posterior import Posterior
from meta_model.evidence.existing import Existing
from meta_model.evidence.search import Search

_MOST_LIKELIER = 2.0  # in nats: an answer or two say little of how much likelier


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What can be asked, and what it is worth before anything is.

    candidates: [C], by item index; gains: [2, C], of users who do not know the candidate, and of
    those who do; answer_rates, variances: [C]; factors: [C, F]
    """

    model: ChoiceModel
    all_factors: Tensor
    candidates: Tensor
    factors: Tensor
    gains: Tensor
    answer_rates: Tensor
    variances: Tensor

    @staticmethod
    @torch.no_grad()
    def of(model: ChoiceModel, existing: Existing) -> Questions:
        """Of the items that existing users know, and what an answer about each gains."""
        search = Search(model, existing)
        knows, gained = existing.knows.mT, search.first_gains()  # [C, U]
        gains = [(gained * of).sum(1) / of.sum(1).clamp(min=1) for of in (~knows, knows)]
        factors = search.factors
        covariance = search.unasked.covariances[0]
        return Questions(
            model=model,
            all_factors=search.items.factors,
            candidates=existing.candidates,
            factors=factors,
            gains=torch.stack(gains),
            answer_rates=existing.answer_rates[existing.candidates],
            variances=((factors @ covariance) * factors).sum(1),
        )

    @torch.no_grad()
    def unknown(self, users: Tensor) -> Posterior:
        """Users [U] before the first question; index 0 is a user of unknown attributes."""
        return Posterior.of_unknown(self.model, users, self.all_factors)

    @torch.no_grad()
    def worth(self, posterior: Posterior, unasked: Posterior) -> Tensor:
        """What each question is worth to each user now, [U, C].

        unasked: what was known of the same users before the first question
        """
        moved = (posterior.means - unasked.means) @ self.factors.mT
        likelier = self.model.log_scale[LIKE].exp() * moved
        likelier = likelier.clamp(-_MOST_LIKELIER, _MOST_LIKELIER).exp()
        knows = (self.answer_rates * likelier).clamp(max=1)
        steps = torch.einsum("ufg,cg->ucf", posterior.covariances, self.factors)
        left = (steps * self.factors).sum(2) / self.variances
        worth: Tensor = (self.gains[0] * (1 - knows) + self.gains[1] * knows) * left
        return worth

    @torch.no_grad()
    def answered(
        self, posterior: Posterior, columns: Tensor, ratings: Tensor, knows: Tensor
    ) -> Posterior:
        """After each user's answer about a candidate [U]: a rating, where they know the item."""
        answers, rates = self.model.answers(ratings), self.answer_rates[columns]
        return posterior.after(self.factors[columns], answers, knows, rates)
