"""The next question to one user, given the answers so far.

    worth_i  =  (sum_v w_v gain_iv)  *  (e_i^T C e_i) / (e_i^T C_0 e_i),   w_v ~ exp(-d_v / 4)

gain_iv is what a question about item i, asked first, adds to recommendations to existing user v
(`search`). Those count most who would have answered as this user did: d_v is the number of answers
in which v differs, where one of the two does not know the item; where both know it and one of them
does not like it, that is half a difference. The last factor is the share of the answer's variance
that the answers so far have left. Users are asked about the first 40 items that a list would have,
because the gain of a first question says little about other items (docs/adr/0037).

Shapes: U users, V existing users, C candidates, K of them that may be asked about, F factors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.choice.model import ChoiceModel
from meta_model.choice.posterior import Posterior
from meta_model.evidence.existing import Existing
from meta_model.evidence.search import Search
from meta_model.evidence.selection import grown

_ASKABLE = 40
_ALIKE = 4.0  # how many other answers make an existing user count e times less

_KNOWN, _LIKED = 1, 2  # reactions to an item; 0 of a user who does not know it


@dataclass(frozen=True, kw_only=True)
class Session:
    """What is known of users [U] after their answers.

    differences: d from each existing user, [U, V]
    """

    posterior: Posterior
    differences: Tensor


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What can be asked, and what it is worth before anything is.

    candidates: [C], by item index; factors: [C, F]; answer_rates: [C]
    reactions: of existing users to the candidates, [C, V]
    askable: [K], places among the candidates; gains: [K, V]; variances: [K]
    liked_from: the least rating of an item that is liked
    """

    model: ChoiceModel
    all_factors: Tensor
    candidates: Tensor
    factors: Tensor
    answer_rates: Tensor
    reactions: Tensor
    askable: Tensor
    gains: Tensor
    variances: Tensor
    liked_from: float

    @staticmethod
    @torch.no_grad()
    def of(model: ChoiceModel, existing: Existing, liked_from: float) -> Questions:
        """Of the items that a list of existing users would begin with."""
        search = Search(model, existing)
        factors, covariance = search.factors, search.unasked.covariances[0]
        gains = search.first_gains()
        askable = grown(search, gains.mean(1), _ASKABLE).to(gains.device)
        return Questions(
            model=model,
            all_factors=search.items.factors,
            candidates=existing.candidates,
            factors=factors,
            answer_rates=existing.answer_rates[existing.candidates],
            reactions=(existing.knows.int() + existing.is_liked).mT,
            askable=askable,
            gains=gains[askable],
            variances=((factors[askable] @ covariance) * factors[askable]).sum(1),
            liked_from=liked_from,
        )

    @torch.no_grad()
    def unknown(self, users: Tensor) -> Session:
        """Users [U] before the first question; index 0 is a user of unknown attributes."""
        return Session(
            posterior=Posterior.of_unknown(self.model, users, self.all_factors),
            differences=self.gains.new_zeros(len(users), self.gains.shape[1]),
        )

    @torch.no_grad()
    def worth(self, session: Session) -> Tensor:
        """What each question is worth to each user now, [U, C]; -inf of what is not asked."""
        gains = (-session.differences / _ALIKE).softmax(1) @ self.gains.mT
        factors = self.factors[self.askable]
        steps = torch.einsum("ufg,kg->ukf", session.posterior.covariances, factors)
        left = (steps * factors).sum(2) / self.variances
        worth = gains.new_full((len(gains), len(self.candidates)), -torch.inf)
        worth[:, self.askable] = gains * left
        return worth

    @torch.no_grad()
    def answered(
        self, session: Session, columns: Tensor, ratings: Tensor, knows: Tensor
    ) -> Session:
        """After each user's answer about a candidate [U]: a rating, where they know the item."""
        answers, rates = self.model.answers(ratings), self.answer_rates[columns]
        own = torch.where(ratings >= self.liked_from, _LIKED, _KNOWN) * knows
        own, theirs = own.unsqueeze(1), self.reactions[columns]
        of_one = (own > 0) != (theirs > 0)
        return Session(
            posterior=session.posterior.after(self.factors[columns], answers, knows, rates),
            differences=session.differences + torch.where(of_one, 1.0, (own != theirs) / 2),
        )
