"""A user's taste as one function of a set: sums of the support's factors, and a small network.

    m    =  sum_S d_i e_i / sqrt(sum_S d_i)
    r    =  sum_S d_i (rating_i - mu) e_i / sqrt(sum_S d_i)
    u_q  =  u0 + W_q tanh(V [m; r])

A set function is a sum, and a network of the sum (Deep Sets, Zaheer et al., NIPS 2017, eq. 2); one
that encodes a support at once is an amortised local update (conditional neural processes, Garnelo
et al., ICML 2018). r says which items were liked among those of m, and d_i how recent each one is.
The network has no biases, so that an empty support leaves the prior u0.

Shapes: B tasks, S support positions, F factors, Q = 2 questions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from meta_model.choice.model import CHOICE, LIKE, Items, UserVectors
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks


class Aggregating(UserVectors):
    """A set encoder; `hidden` is V and `out` holds W of both questions."""

    def __init__(self, inputs: Inputs, size: int, dropout: float, hide_item: float = 0.0) -> None:
        super().__init__(inputs, size, dropout, hide_item)
        self.hidden = nn.Linear(2 * size, 2 * size, bias=False)
        self.out = nn.Linear(2 * size, size * len((CHOICE, LIKE)), bias=False)

    def adapt(self, tasks: Tasks, items: Items) -> Tensor:
        """The local update, u [Q, B, F]: no steps, one pass of the network."""
        support = tasks.support
        shown = items.factors[tasks.items[support.rows]]
        recency = self.recency(tasks)
        of_rating = recency * (support.ratings - self.mean_rating)
        lengths = recency.sum(1).clamp(min=1).sqrt()
        sums = (
            torch.stack([recency, of_rating], dim=1) @ shown / lengths.view(-1, 1, 1)
        )  # [B, 2, F]
        moved: Tensor = self.out(self.hidden(sums.flatten(1)).tanh())
        by_question: Tensor = moved.unflatten(1, (-1, shown.shape[2])).transpose(0, 1)
        return self.prior(tasks) + by_question
