"""What a model of choices knows of users' tastes, and what one more answer changes in it.

    A   =  E_S^T D E_S + w0 E^T E + l I
    u   =  u0 + A^-1 (E_S^T D y - E_Q^T p - (A - l I) u0),   y = 1 + r (rating - mu)
    u'  =  u + C e (y - p - e . u) / (1 + e^T C e)  of an item that the user knows
    C'  =  C - (C e)(C e)^T / (1 + e^T C e)
    u'  =  u - p C e  of one that they do not know

Ridge regression is the posterior of a Gaussian linear model: u is its mean and C = A^-1 its
covariance, in units of the noise. Items of the support count as chosen, the more so the better they
were rated and, by D, the later they were chosen (`ChoiceModel.recency`; weighted least squares),
and every item of the catalogue counts a little (w0) as not chosen.

Answers to questions (Q) have no order of time: D is the identity. From each answer is subtracted
what was expected of it, p, the chance that the user knows the item: a logistic regression of who
knows what has the gradient (knows - p) e. A user who does not know what everybody knows tells much
of their taste, and one who knows it tells little (docs/adr/0037).

    p_i  =  share_i (k + a) / (sum_Q share_j + a)

share is that of all users, k how many of the items the user knows: some know more than others do,
and a new user has met little so far (the mean of a Gamma-Poisson model of prior mean 1). One more
answer y on an item of factors e changes A by e e^T, so that the inverse need not be computed again
(Sherman and Morrison, 1950).

The learner `ridge` adapts by it. Of other learners it is a second reading of the same factors, with
w0, l and r fitted to it (`choice.training`): evidence and the next question are chosen by it.

Shapes: U users, B tasks, S support positions, F factors, Q = 2 questions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.choice.model import CHOICE, LIKE, ChoiceModel, Items
from meta_model.data.tasks import Tasks
from meta_model.layers.cholesky import solved

_USUAL = 4.0  # a: the larger, the more a user is taken to know as many items as others do


def posterior_means(model: ChoiceModel, tasks: Tasks, items: Items) -> Tensor:
    """u [Q, B, F] after the supports; one factorisation of A answers both questions."""
    prior, ratings = model.prior(tasks), tasks.support.ratings
    shown = items.factors[tasks.items[tasks.support.rows]]
    weighted = shown * model.recency(tasks).unsqueeze(-1)
    targets = torch.stack([model.answers(ratings, q) for q in (CHOICE, LIKE)], dim=-1)
    chosen = weighted.mT @ shown + model.unchosen(items.catalogue)
    pulled = weighted.mT @ targets - chosen @ prior.unsqueeze(-1)  # [B, F, Q]
    if (asked := tasks.asked) is not None:
        rates = expected_answers(asked.rates, tasks.support.mask.sum(1))
        pulled = pulled - items.factors[asked.items].mT @ rates.unsqueeze(-1)
    ridge = model.log_ridge.exp().expand(prior.shape[1]).diag()
    users = prior.unsqueeze(-1) + solved(chosen + ridge, pulled)
    return users.permute(2, 0, 1)


def expected_answers(shares: Tensor, n_known: Tensor) -> Tensor:
    """p [B, A]; shares: of all users who know each item; n_known: how many each user knows [B]."""
    activity = (n_known + _USUAL) / (shares.sum(1) + _USUAL)
    return shares * activity.unsqueeze(1)


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """means: u [U, F]; covariances: C [U, F, F]"""

    means: Tensor
    covariances: Tensor

    @staticmethod
    def of_unknown(model: ChoiceModel, users: Tensor, factors: Tensor) -> Posterior:
        """Of users [U] of whom the attributes alone are known, given all items' factors."""
        ridge = model.log_ridge.exp()
        precision = model.unchosen(factors)
        precision = precision + ridge * torch.eye(len(precision), device=factors.device)
        covariance = torch.linalg.inv(precision)
        means = ridge * model.at_any_time(users) @ covariance
        return Posterior(means=means, covariances=covariance.expand(len(users), -1, -1))

    def __getitem__(self, chosen: Tensor) -> Posterior:
        return Posterior(means=self.means[chosen], covariances=self.covariances[chosen])

    def means_after(
        self, factors: Tensor, answers: Tensor, knows: Tensor, rates: Tensor | float = 0.0
    ) -> Tensor:
        """u' [U, F] after each user was asked about an item of factors [U, F].

        answers: y, of the users who know the item; knows: who does; rates: p, by default nothing is
        expected, so that users who do not know the item stay as they are. [U] each
        """
        steps = self._steps(factors)
        expected, variance = (factors * self.means).sum(1), (factors * steps).sum(1)
        surprise = torch.where(knows, (answers - rates - expected) / (1 + variance), -rates)
        return self.means + steps * surprise.unsqueeze(1)

    def after(
        self, factors: Tensor, answers: Tensor, knows: Tensor, rates: Tensor | float = 0.0
    ) -> Posterior:
        """The same with the covariances; those of users who do not know the item stay."""
        steps = self._steps(factors)
        shrunk = steps / (1 + (steps * factors).sum(1, keepdim=True)).sqrt()
        shrunk = shrunk * knows.unsqueeze(1)
        return Posterior(
            means=self.means_after(factors, answers, knows, rates),
            covariances=self.covariances - shrunk.unsqueeze(2) * shrunk.unsqueeze(1),
        )

    def variances(self, factors: Tensor) -> Tensor:
        """e^T C e [U] of one item of factors [F] or of each user's own [U, F]."""
        factors = factors.expand(len(self.means), -1)
        return (self._steps(factors) * factors).sum(1)

    def _steps(self, factors: Tensor) -> Tensor:
        """C e [U, F]."""
        steps: Tensor = torch.bmm(self.covariances, factors.unsqueeze(2)).squeeze(2)
        return steps
