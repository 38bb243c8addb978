"""The softmax of a training step over a large catalogue: a sample of the items stands for all.

    sum_i exp(l_i)  is estimated by  sum_{i in S} exp(l_i - log pi_i),   P(i in S) = pi_i
    pi_i  =  1  if the batch shows or asks for i, else  min(1, n (1 / N + p_i) / 2)

The logits of B tasks for N items are B N numbers, several times over, and a step needs them for
their sum alone. Each item is drawn or not, by a chance of its own, and its logit is corrected by
the logarithm of the chance (log-Q correction: Bengio and Senecal, IEEE TNN 2008; Yi et al., RecSys
2019), so that the estimate of the sum has no bias (Horvitz and Thompson, 1952). p_i is the share of
all training interactions that the item has. Half of the chance is by p, because a softmax that
starts at popularity has its mass there; half is alike for all, so that no item that is drawn
stands for more than 2 N / n others.

All items that the batch's tasks show or ask for are there, once and without a correction. So what
is to be chosen has the logit that it has in the whole softmax, no item is drawn a second time as
its own rival, and a support is left out as it is there.

A sample is a catalogue with numbers of its own, and the tasks name their items by them: no learner
knows of it. Only w0 E^T E, a sum of F x F numbers, is of the whole catalogue.

Shapes: B tasks, N items (row 0 is padding), C items of a sample, F factors, Q = 2 questions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from meta_model.choice.model import Items
from meta_model.data.tasks import Tasks
from meta_model.layers.rows import at_rows


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """chances: pi [N + 1] of an item that a batch does not have; None: the softmax is of all."""

    chances: Tensor | None

    @staticmethod
    def of(counts: Tensor, n_items: int) -> Sampling:
        """At most about `n_items` besides a batch's own, by training interactions [N + 1]."""
        n_catalogue = len(counts) - 1
        if n_catalogue <= n_items:
            return Sampling(chances=None)
        share = counts / counts.sum().clamp(min=1)
        chances = (n_items * (1 / n_catalogue + share) / 2).clamp(max=1).float()
        chances[0] = 1  # padding stays item 0
        return Sampling(chances=chances)

    def drawn(self, items: Items, tasks: Tasks) -> tuple[Items, Tasks]:
        """A sample [C], another one each time, and the tasks by its numbers; or both as they are.

        By the global random state, as what else a model draws in training.
        """
        if self.chances is None:
            return items, tasks
        chances = self.chances.to(items.factors, copy=True)
        for side in (tasks.support, tasks.query):
            chances[tasks.items[side.rows] * side.mask] = 1
        sample = (torch.rand_like(chances) < chances).nonzero().squeeze(1)
        number = torch.zeros_like(chances, dtype=torch.int64)
        number[sample] = torch.arange(len(sample), device=sample.device)
        of_sample = Items(
            factors=at_rows(items.factors, sample),
            biases=items.biases.index_select(1, sample) - chances[sample].log(),
            is_trained=items.is_trained[sample],
            catalogue=items.catalogue,
        )
        return of_sample, replace(tasks, items=number[tasks.items])
