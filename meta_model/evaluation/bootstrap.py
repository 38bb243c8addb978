"""Confidence intervals of means over users, for many metrics of the same users at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

_RESAMPLES = 1_000
_LEVELS = (0.025, 0.975)


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """Resamples of `n_users` users, the same ones for everything that is asked of them."""

    n_users: int
    seed: int = 1

    @cached_property
    def _shares(self) -> Tensor:
        """Each user's share of each resample, [resamples, U]."""
        draws = torch.Generator().manual_seed(self.seed)
        chosen = torch.randint(self.n_users, (_RESAMPLES, self.n_users), generator=draws)
        counts = torch.zeros(_RESAMPLES, self.n_users, dtype=torch.float64)
        counts.scatter_add_(1, chosen, torch.ones_like(chosen, dtype=torch.float64))
        return counts / self.n_users

    def interval(self, values: Tensor) -> tuple[float, float]:
        """The 95% interval of the mean of the users' values [U], by the percentile bootstrap."""
        means = self._shares @ values.double()
        low, high = torch.quantile(means, torch.tensor(_LEVELS, dtype=means.dtype)).tolist()
        return low, high
