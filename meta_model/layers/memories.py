"""MAMO's memories of user profiles, local gradients and preferences (section 2.3).

    a_u      =  softmax_k( cos(p_u, M_P[k]) )                            (3)
    b_u      =  a_u^T M_U                                                 (4)
    M_P     <-  alpha (a_u p_u^T)         + (1 - alpha) M_P               (5)
    M_U     <-  beta  (a_u grad_theta_u)  + (1 - beta)  M_U               (6)
    M_u,I    =  a_u^T M_U,I                                               (7)
    M_U,I   <-  gamma (a_u x M_u,I)       + (1 - gamma) M_U,I             (8)

A row k is one kind of user. As a_u sums to 1 over the K kinds, a write adds one K-th of what
decays: M_U,I, which no gradient trains, goes towards zero. With `attended` decay a row decays by
its attention, (1 - gamma a_u), as it is written; docs/learners/mamo.md compares both. A batch
writes the mean over its tasks.

Shapes: B tasks, K kinds, D the size of a profile.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Memories(nn.Module):
    """Buffers, saved with the model: training writes them, without gradients; serving does not.

    profiles: M_P [K, D]; gradients: M_U, for every user weight [K, ...]; preferences: M_U,I
    [K, E, 2E]; usage: [K], the share of attention of each kind, for inspection
    """

    profiles: Tensor
    preferences: Tensor
    usage: Tensor

    def __init__(
        self, n_kinds: int, n_profile: int, shapes: Sequence[torch.Size], n_embedding: int
    ) -> None:
        super().__init__()
        self.register_buffer("profiles", torch.randn(n_kinds, n_profile))
        self.n_weights = len(shapes)
        for number, shape in enumerate(shapes):
            self.register_buffer(f"gradients_{number}", torch.zeros(n_kinds, *shape))
        # A read averages K independent draws: their scale keeps the variance.
        scale = (n_kinds / (2 * n_embedding)) ** 0.5
        preferences = torch.randn(n_kinds, n_embedding, 2 * n_embedding) * scale
        self.register_buffer("preferences", preferences)
        self.register_buffer("usage", torch.full((n_kinds,), 1 / n_kinds))

    @property
    def gradients(self) -> list[Tensor]:
        """M_U of each user weight [K, ...]: the memories of fast gradients."""
        return [getattr(self, f"gradients_{number}") for number in range(self.n_weights)]

    def attention(self, profiles: Tensor) -> Tensor:
        """(3): a_u [B, K] from profiles [B, D]."""
        cosines = F.normalize(profiles, dim=1) @ F.normalize(self.profiles, dim=1).mT
        return cosines.softmax(1)

    def bias(self, attention: Tensor) -> list[Tensor]:
        """(4): b_u, for every user weight [B, ...]."""
        return [_read(attention, memory) for memory in self.gradients]

    def preference(self, attention: Tensor) -> Tensor:
        """(7): M_u,I [B, E, 2E]."""
        return _read(attention, self.preferences)

    def all(self) -> list[Tensor]:
        """Every buffer in the order in which `writes` and `write` take them; usage comes last."""
        return [self.profiles, *self.gradients, self.preferences, self.usage]

    def writes(
        self, attention: Tensor, profiles: Tensor, gradients: Sequence[Tensor], preference: Tensor
    ) -> list[Tensor]:
        """What tasks write to each of `all`, summed over tasks: a_u times the new values."""
        new = [profiles, *gradients, preference]
        written = [torch.tensordot(attention, values, dims=([0], [0])) for values in new]
        return [*(tensor.detach() for tensor in written), attention.detach().sum(0)]

    def write(
        self, writes: Sequence[Tensor], mixes: tuple[float, float, float], is_whole: bool
    ) -> None:
        """(5), (6) and (8) of the writes' means over tasks, by alpha, beta and gamma."""
        *new, usage = writes
        alpha, beta, gamma = mixes
        rates = [alpha, *(beta for _ in self.gradients), gamma]
        for memory, written, rate in zip(self.all(), new, rates, strict=False):
            fading = torch.ones_like(usage) if is_whole else usage
            kept = 1 - rate * fading.view(-1, *(1 for _ in memory.shape[1:]))
            memory.mul_(kept).add_(written, alpha=rate)
        self.usage.lerp_(usage, alpha)


def _read(attention: Tensor, memory: Tensor) -> Tensor:
    read: Tensor = torch.tensordot(attention, memory, dims=([1], [0]))
    return read
