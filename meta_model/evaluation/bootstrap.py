"""Confidence intervals of means over users, for many metrics of the same users at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_RESAMPLES = 1_000
_LEVELS = (0.025, 0.975)
_CELLS = 2**22  # resamples by users held at once: 32 MB of shares, and as much of draws


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """Resamples of `n_users` users, the same ones for everything that is asked of them.

    They are drawn at each call, so that memory is bounded: ask for all intervals at once.
    """

    n_users: int
    seed: int = 1

    def intervals(self, values: Sequence[Tensor]) -> list[tuple[float, float]]:
        """The 95% interval of the mean of each of the values, [U], by the percentile bootstrap."""
        doubles = [each.double() for each in values]
        parts = [[shares @ each for each in doubles] for shares in self._shares()]
        means = (torch.cat(of_values) for of_values in zip(*parts, strict=True))
        levels = torch.tensor(_LEVELS, dtype=torch.float64)
        ends = (torch.quantile(each, levels).tolist() for each in means)
        return [(low, high) for low, high in ends]

    def interval(self, values: Tensor) -> tuple[float, float]:
        """The 95% interval of the mean of the users' values [U]."""
        [found] = self.intervals([values])
        return found

    def _shares(self) -> Iterator[Tensor]:
        """Each user's share of each resample, [resamples, U] of a block of resamples."""
        draws = torch.Generator().manual_seed(self.seed)
        one = torch.ones((), dtype=torch.float64)
        block = max(1, _CELLS // self.n_users)
        for first in range(0, _RESAMPLES, block):
            size = (min(block, _RESAMPLES - first), self.n_users)
            # One number after the other, so that blocks draw what one draw of all would.
            chosen = torch.randint(self.n_users, size, generator=draws)
            counts = torch.zeros(size, dtype=torch.float64)
            yield counts.scatter_add_(1, chosen, one.expand(size)).div_(self.n_users)
