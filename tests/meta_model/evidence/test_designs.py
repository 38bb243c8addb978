"""Lists by other people's criteria, against the criteria taken literally."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.yardsticks.designs import designs
from meta_model.choice.learners.ridge import Ridge
from meta_model.choice.posterior import Posterior
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.evidence.existing import Existing, existing_users


def _drawn(inputs: Inputs) -> tuple[Ridge, Existing]:
    torch.manual_seed(5)
    model = Ridge(inputs, 6, dropout=0.0).eval()
    with torch.no_grad():
        model.own.mul_(8)
    few = Config(seed=1).having({"products.evidence_candidates": 12})
    return model, existing_users(inputs, model, few)


def _greedily(worth: Callable[[list[int]], float], n: int, k: int) -> list[int]:
    """`worth` of a list of columns; the best one more is added, k times."""
    chosen: list[int] = []
    for _ in range(k):
        left = [c for c in range(n) if c not in chosen]
        chosen.append(max(left, key=lambda c: worth([*chosen, c])))
    return chosen


def test_the_likeliest_of_a_dpp_and_the_largest_volume_are_those_of_determinants(
    inputs: Inputs,
) -> None:
    model, existing = _drawn(inputs)
    with torch.no_grad():
        factors = model.items().factors[existing.candidates].double()
        rates = existing.knows.double().mean(0)

        def determinant_of(vectors: Tensor) -> Callable[[list[int]], float]:
            kernel = vectors @ vectors.mT
            return lambda chosen: float(kernel[chosen][:, chosen].logdet())

        found = designs(model, existing, 6)
    candidates, n = existing.candidates, len(existing.candidates)
    quality = rates.unsqueeze(1) * F.normalize(factors)
    for name, vectors in (("max_volume", factors), ("dpp", quality)):
        expected = _greedily(determinant_of(vectors), n, 6)
        assert found[name].equal(candidates[torch.tensor(expected)]), name
    assert not found["dpp"].equal(found["max_volume"])


def test_the_first_item_of_a_bayesian_design_leaves_the_least(inputs: Inputs) -> None:
    """Of the entropy of the mean user's factors, or of their variance, as often as many answer."""
    model, existing = _drawn(inputs)
    with torch.no_grad():
        everything = model.items().factors
        factors = everything[existing.candidates].double()
        before = Posterior.of_unknown(model, existing.users[:1], everything).covariances[0].double()
        found = designs(model, existing, 1)
    rates = existing.knows.double().mean(0)
    after = [(before.inverse() + torch.outer(item, item)).inverse() for item in factors]
    fallen = {
        "d_optimal": torch.stack([before.logdet() - each.logdet() for each in after]),
        "a_optimal": torch.stack([before.trace() - each.trace() for each in after]),
    }
    for name, worth in fallen.items():
        assert found[name].equal(existing.candidates[(rates * worth).argmax()].unsqueeze(0)), name
