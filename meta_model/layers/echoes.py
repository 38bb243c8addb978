"""What a support's ratings say of other items on a meta-path: those of like context echo there.

A path over actors leads from a user over a film they rated to another film. How far that rating
lies from the expected one goes along, the further the more alike the two films' contexts are:

    k_is  =  exp( g (cos(c_i, c_s) - 1) ),     echo_i  =  sum_s k_is rest_s / (l + sum_s k_is)

Shapes: Z pairs of a task and a path, N positions (S of the support), C the size of a context.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

N_ECHOES = 2  # the echo, and how much of it there is
_SHARPNESS, _DAMPING = 5.0, 1.0  # g and l before training
_LOG_SCALE = 4.0  # a large input makes for large local steps, which overshoot


@dataclass(frozen=True, kw_only=True)
class Heard:
    """The support: contexts [Z, S, C], residuals over the baseline and mask [Z, S]."""

    contexts: Tensor
    residual: Tensor
    mask: Tensor


class Echoes(nn.Module):
    """g and l are learnt for each path; the first path, the user's own items, has no echo."""

    def __init__(self, n_paths: int) -> None:
        super().__init__()
        self.n_paths = n_paths
        self.log_sharpness = nn.Parameter(torch.full((n_paths,), _SHARPNESS).log())
        self.log_damping = nn.Parameter(torch.full((n_paths,), _DAMPING).log())

    def nothing(self, n_pairs: int, size: int, like: Tensor) -> Heard:
        """An empty support."""
        contexts = like.new_zeros(n_pairs, 0, size)
        return Heard(contexts=contexts, residual=contexts[:, :, 0], mask=contexts[:, :, 0].bool())

    def forward(self, contexts: Tensor, heard: Heard, is_support: bool = False) -> Tensor:
        """[Z, N, 2] at places of contexts [Z, N, C]; the support's own hear only the others."""
        mask = heard.mask.unsqueeze(1) & self._speaks(heard.contexts).unsqueeze(1)
        mask = mask & self._speaks(contexts).unsqueeze(2) & self._has_echo(contexts)
        if is_support:
            itself = torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
            mask = mask & ~itself
        cosines = F.normalize(contexts, dim=-1) @ F.normalize(heard.contexts, dim=-1).mT
        weights = (self._of_pairs(self.log_sharpness, contexts) * (cosines - 1)).exp() * mask
        amount = weights.sum(-1)
        damping = self._of_pairs(self.log_damping, contexts).squeeze(-1)
        echo = (weights @ heard.residual.unsqueeze(-1)).squeeze(-1) / (damping + amount)
        return torch.stack([echo, amount.log1p() / _LOG_SCALE], dim=-1)

    def _speaks(self, contexts: Tensor) -> Tensor:
        """Whether there is a context at all, [Z, N]: without neighbours it is zero."""
        return contexts.detach().abs().sum(-1) > 0

    def _has_echo(self, contexts: Tensor) -> Tensor:
        path = torch.arange(len(contexts), device=contexts.device) % self.n_paths
        return (path > 0).view(-1, 1, 1)

    def _of_pairs(self, logarithms: Tensor, contexts: Tensor) -> Tensor:
        """The paths' parameters for each pair, [Z, 1, 1]."""
        values: Tensor = logarithms.exp().repeat(len(contexts) // self.n_paths)
        return values.view(-1, 1, 1)
