"""Kernel-weighted propagation of the support's residuals along meta-paths.

A path over actors leads from a user over a film they rated to another film. The residual of that
rating propagates to the other film, weighted by a kernel of their contexts' cosine similarity
(Nadaraya-Watson regression with a damped denominator):

    k_is  =  exp( g (cos(c_i, c_s) - 1) ),     p_i  =  sum_s k_is e_s / (l + sum_s k_is)

with the residuals e_s, an inverse temperature g and a damping l.

Shapes: Z pairs of a task and a path, N positions (S of the support), C the size of a context.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

N_PROPAGATED = 2  # the propagated residual, and the sum of the kernel weights
_INVERSE_TEMPERATURE, _DAMPING = 5.0, 1.0  # g and l before training
_LOG_SCALE = 4.0  # large inputs make large local steps, which overshoot


@dataclass(frozen=True, kw_only=True)
class SupportMemory:
    """The support on each path: contexts [Z, S, C], residuals over the baseline and mask [Z, S]."""

    contexts: Tensor
    residual: Tensor
    mask: Tensor


class ResidualPropagation(nn.Module):
    """g and l are learnt for each path; nothing propagates on the first one, the user's items."""

    def __init__(self, n_paths: int) -> None:
        super().__init__()
        self.n_paths = n_paths
        self.log_inverse_temperature = nn.Parameter(
            torch.full((n_paths,), _INVERSE_TEMPERATURE).log()
        )
        self.log_damping = nn.Parameter(torch.full((n_paths,), _DAMPING).log())

    def empty_memory(self, n_pairs: int, size: int, like: Tensor) -> SupportMemory:
        """The memory of an empty support, with the dtype and device of `like`."""
        contexts = like.new_zeros(n_pairs, 0, size)
        return SupportMemory(
            contexts=contexts, residual=contexts[:, :, 0], mask=contexts[:, :, 0].bool()
        )

    def forward(self, contexts: Tensor, memory: SupportMemory, is_support: bool = False) -> Tensor:
        """Propagated residuals and logarithmic kernel sums [Z, N, 2] at contexts [Z, N, C].

        is_support: the contexts are those of the memory; none receives the residual of its own
        position
        """
        mask = memory.mask.unsqueeze(1) & self._has_context(memory.contexts).unsqueeze(1)
        mask = mask & self._has_context(contexts).unsqueeze(2) & self._propagates(contexts)
        if is_support:
            itself = torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
            mask = mask & ~itself
        cosines = F.normalize(contexts, dim=-1) @ F.normalize(memory.contexts, dim=-1).mT
        inverse_temperature = self._of_pairs(self.log_inverse_temperature, contexts)
        weights = (inverse_temperature * (cosines - 1)).exp() * mask
        amount = weights.sum(-1)
        damping = self._of_pairs(self.log_damping, contexts).squeeze(-1)
        propagated = (weights @ memory.residual.unsqueeze(-1)).squeeze(-1) / (damping + amount)
        return torch.stack([propagated, amount.log1p() / _LOG_SCALE], dim=-1)

    def _has_context(self, contexts: Tensor) -> Tensor:
        """Whether a context is not empty, [Z, N]; without neighbours it is the zero vector."""
        return contexts.detach().abs().sum(-1) > 0

    def _propagates(self, contexts: Tensor) -> Tensor:
        """Whether residuals propagate on the path of each pair, [Z, 1, 1]."""
        path = torch.arange(len(contexts), device=contexts.device) % self.n_paths
        return (path > 0).view(-1, 1, 1)

    def _of_pairs(self, logarithms: Tensor, contexts: Tensor) -> Tensor:
        """The parameter of each pair's path, [Z, 1, 1], from logarithms [paths]."""
        values: Tensor = logarithms.exp().repeat(len(contexts) // self.n_paths)
        return values.view(-1, 1, 1)
