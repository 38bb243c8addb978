"""Lists to ask about by other people's criteria: what the published selection has to beat.

Each chooses greedily from the same candidates, for the same existing users.

Shapes: U users, C candidates, F factors.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from meta_model.choice.model import ChoiceModel
from meta_model.choice.posterior import Posterior
from meta_model.evidence.existing import Existing


@torch.no_grad()
def designs(model: ChoiceModel, existing: Existing, k: int) -> dict[str, Tensor]:
    """By the criterion's name, a list of `k` items by item index."""
    factors, rates = model.items().factors[existing.candidates], existing.knows.float().mean(0)
    found = {
        "d_optimal": _bayesian(model, existing, k, _information),
        "a_optimal": _bayesian(model, existing, k, _variance),
        "max_volume": _max_volume(factors, k),
        "dpp": _max_volume(rates.unsqueeze(1) * F.normalize(factors), k),
        "greedy_extend": _greedy_extend(existing, k),
    }
    candidates = existing.candidates.cpu()
    return {name: candidates[torch.tensor(columns)] for name, columns in found.items()}


Criterion = Callable[[Tensor, Tensor], Tensor]


def _bayesian(model: ChoiceModel, existing: Existing, k: int, criterion: Criterion) -> list[int]:
    """Bayesian experimental design for the mean user (Chaloner and Verdinelli, 1995).

    What an answer is worth counts as often as existing users know the item.
    """
    items = model.items()
    factors = items.factors[existing.candidates]
    covariance = Posterior.of_unknown(model, existing.users[:1], items.factors).covariances[0]
    rates, chosen = existing.knows.float().mean(0), list[int]()
    for _ in range(k):
        worth = rates * criterion(factors, covariance)
        worth[chosen] = -torch.inf
        best = int(worth.argmax())
        chosen.append(best)
        step = covariance @ factors[best]
        shrunk = torch.outer(step, step) / (1 + factors[best] @ step)
        covariance = covariance - rates[best] * shrunk
    return chosen


def _information(factors: Tensor, covariance: Tensor) -> Tensor:
    """The fall in the entropy of the user's factors, D-optimality: log(1 + e^T C e), [C]."""
    return torch.log1p(((factors @ covariance) * factors).sum(1))


def _variance(factors: Tensor, covariance: Tensor) -> Tensor:
    """The fall in the trace of C, A-optimality: |C e|^2 / (1 + e^T C e), [C]."""
    steps = factors @ covariance
    return steps.square().sum(1) / (1 + (steps * factors).sum(1))


def _max_volume(vectors: Tensor, k: int) -> list[int]:
    """Items whose vectors [C, F] span the largest volume.

    Of the factors, they represent a model's items (RBMF, Liu et al., RecSys 2011). Of directions as
    long as many can answer, they are the likeliest of a determinantal point process with that
    quality and the cosine as similarity, taken greedily (Chen et al., NeurIPS 2018).
    """
    left, chosen = vectors.clone(), list[int]()
    for _ in range(k):
        lengths = left.square().sum(1)
        lengths[chosen] = -torch.inf
        best = int(lengths.argmax())
        chosen.append(best)
        direction = left[best] / left[best].norm().clamp(min=1e-9)
        left = left - (left @ direction).unsqueeze(1) * direction
    return chosen


def _greedy_extend(existing: Existing, k: int) -> list[int]:
    """Items whose answers split users into groups that rate alike (Golbandi et al., CIKM 2010).

    A user's rating of a candidate is predicted by the mean of those who gave the same answer to
    the item in question: disliked, liked or unknown. Each item is the one that, averaged with what
    the items before it predict, leaves the least squared error.
    """
    known, ratings = existing.knows.float(), existing.ratings
    answers = (~existing.knows, existing.knows & existing.is_liked)
    groups = torch.stack([*answers, existing.knows & ~existing.is_liked])  # [3, U, C]
    total, chosen = torch.zeros_like(ratings), list[int]()
    for rank in range(1, k + 1):
        errors = torch.full((ratings.shape[1],), torch.inf)
        for column in range(ratings.shape[1]):
            if column not in chosen:
                predicted = (total + _group_means(groups[:, :, column], ratings, known)) / rank
                errors[column] = ((predicted - ratings) * known).square().sum()
        best = int(errors.argmin())
        chosen.append(best)
        total = total + _group_means(groups[:, :, best], ratings, known)
    return chosen


def _group_means(groups: Tensor, ratings: Tensor, known: Tensor) -> Tensor:
    """Each user's group's mean rating of each candidate, [U, C], damped towards everyone's."""
    member = groups.float()  # [3, U]
    of_all = (ratings * known).sum(0) / known.sum(0).clamp(min=1)
    means = (member @ (ratings * known) + 5 * of_all) / (member @ known + 5)
    return member.T @ means
