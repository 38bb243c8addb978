"""Matching, prototypical, aggregating and ridge: metric-based methods, a task at a time."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.loops.loop import PerTaskLoop, Task


class _Encoding(PerTaskLoop):
    def encode(self, items: Tensor) -> Tensor:
        """[N, E] of items [N]."""
        w = self.weights
        hidden = F.linear(
            self.items(items), w["encoder.of_items.weight"], w["encoder.of_items.bias"]
        )
        return F.linear(F.relu(hidden), w["encoder.output.weight"], w["encoder.output.bias"])


class _Levels(_Encoding):
    @property
    def levels(self) -> Tensor:
        levels: Tensor = self.learner.likelihood.levels
        return levels

    def loss(self, forecast: Tensor, ratings: Tensor) -> Tensor:
        numbers = torch.tensor([self.levels.tolist().index(r) for r in ratings.tolist()])
        return F.nll_loss(forecast, numbers.to(forecast.device))

    def score(self, forecast: Tensor) -> Tensor:
        return (forecast.exp() * self.levels).sum(-1)


class MatchingLoop(_Levels):
    """Matching networks (Vinyals et al. 2016), one task after the other."""

    def fit(self, task: Task, second_order: bool) -> tuple[Tensor, Tensor]:
        """The support's encoded items [S, E] and their ratings [S]; nothing is adapted."""
        items, ratings = task.support
        return self.encode(items), ratings

    def forecast(self, task: Task, fitted: tuple[Tensor, Tensor], items: Tensor) -> Tensor:
        """Log probabilities [N, L] of the levels: attention over the support and a prior."""
        keys, ratings = fitted
        points, w = self.encode(items), self.weights
        of_items = F.linear(points, w["item_prior.weight"], w["item_prior.bias"])
        prior = (of_items + F.linear(self.users(task.user), w["user_prior.weight"])).softmax(1)
        cosines = F.cosine_similarity(points[:, None], keys[None], dim=2)
        logits = torch.cat(
            [w["prior_logit"].expand(len(items), 1), w["log_inverse_temperature"].exp() * cosines],
            dim=1,
        )
        weights = logits.softmax(1)
        of_levels = [
            weights[:, 0] * prior[:, number] + (weights[:, 1:] * (ratings == level)).sum(1)
            for number, level in enumerate(self.levels)
        ]
        return torch.stack(of_levels, dim=1).log()


class PrototypicalLoop(_Levels):
    """Prototypical networks (Snell et al. 2017), one task after the other."""

    def fit(self, task: Task, second_order: bool) -> tuple[Tensor, Tensor]:
        """A damped prototype [L, E] and a smoothed share [L] of each rating level."""
        items, ratings = task.support
        points, w = self.encode(items), self.weights
        damping, of_shares = w["log_dampings"].exp()
        user = F.linear(self.users(task.user)[0], w["of_users.weight"], w["of_users.bias"])
        shares = user.softmax(0)
        prototypes, smoothed = [], []
        for number, level in enumerate(self.levels):
            of_level = points[ratings == level]
            prototypes.append(
                (damping * w["prior"][number] + of_level.sum(0)) / (damping + len(of_level))
            )
            smoothed.append(
                (of_shares * shares[number] + len(of_level)) / (of_shares + len(ratings))
            )
        return torch.stack(prototypes), torch.stack(smoothed)

    def forecast(self, task: Task, fitted: tuple[Tensor, Tensor], items: Tensor) -> Tensor:
        """Log probabilities [N, L] of the levels by squared distance to the prototypes."""
        prototypes, shares = fitted
        distances = (self.encode(items)[:, None] - prototypes[None]).square().sum(2)
        logits = shares.log() - self.weights["log_inverse_temperature"].exp() * distances
        return logits.log_softmax(1)


class AggregatingLoop(_Encoding):
    """The aggregating estimator, one task after the other."""

    def fit(self, task: Task, second_order: bool) -> Tensor:
        """The user's point [E]: attention over the support's reactions and an empty one."""
        items, ratings = task.support
        points, w = self.encode(items), self.weights
        residual = ratings[:, None]
        reactions = torch.cat([points, residual, points * residual], dim=1)
        values = F.relu(F.linear(reactions, w["value.weight"], w["value.bias"]))
        logits = F.linear(reactions, w["attention.weight"], w["attention.bias"])[:, 0]
        attention = torch.cat([logits.new_zeros(1), logits]).softmax(0)[1:]
        aggregate = (attention[:, None] * values).sum(0)
        both = torch.cat([aggregate, self.users(task.user)[0]])
        return F.linear(both, w["user.weight"], w["user.bias"])

    def forecast(self, task: Task, fitted: Tensor, items: Tensor) -> Tensor:
        """Scores [N]: inner products of the encoded items with the user's point."""
        return self.encode(items) @ fitted


class RidgeLoop(_Encoding):
    """In dual form, with a matrix of ratings by ratings: F^T (F F^T + l I)^-1 (e - F w_0)."""

    def features(self, items: Tensor) -> Tensor:
        """f [N, E] of items [N]: the encoded items and their linear part."""
        linear: Tensor = F.linear(self.items(items), self.weights["linear.weight"])
        return linear + self.encode(items)

    def fit(self, task: Task, second_order: bool) -> Tensor:
        """The user's weights w_u [E]."""
        items, ratings = task.support
        features, w = self.features(items), self.weights
        prior = F.linear(self.users(task.user)[0], w["prior.weight"], w["prior.bias"])
        kernel = features @ features.T + w["log_ridge"].exp() * torch.eye(len(items)).to(features)
        weights: Tensor = torch.linalg.solve(kernel, ratings - features @ prior)
        return prior + features.T @ weights

    def forecast(self, task: Task, fitted: Tensor, items: Tensor) -> Tensor:
        """Scores [N]: inner products of the items' features with the user's weights."""
        return self.features(items) @ fitted
