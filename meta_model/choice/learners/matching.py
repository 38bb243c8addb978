"""Choices by attention: each item of the catalogue looks at the items that the user chose.

    k(i, j)  =  d_j exp((cos(W e_i, W e_j) - 1) / t),   a(i, j) = k(i, j) / (c + sum_S k(i, j'))
    logit_q,i  =  s_q e_i . u0 + b_q,i + g_q sum_S a(i, j) y_q,j,   y_q = 1 + r_q (rating - mu)

Matching networks (Vinyals et al., NIPS 2016, eq. 1 and section 2.1.1) answer by the attention of
what is asked on the support, and the kernel of the attention is learnt. There is no vector of the
user, and no local update but to look at the support. c is one more position, without an answer:
an item that is near to nothing of the support keeps the prior's logit, and so do all items of an
empty support. d_j says how recent j is. W, t, c, g and r are learnt.

The kernel is of two items, whoever the user is. So it is computed once for all items in the
supports of a batch, and attention is a matrix product; a part of the catalogue at a time.

Shapes: B tasks, S support positions, M distinct items of the supports, N items (row 0 is padding),
C items of a part of the catalogue, F factors, Q = 2 questions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.choice.model import CHOICE, LIKE, ChoiceModel, Items
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks

_CELLS = 2**22  # of the kernel, held at once where nothing is learnt
_TEMPERATURE, _NOTHING, _GAIN = 0.3, 4.0, 12.0  # where learning begins


class Matching(ChoiceModel):
    """`kernel` is W; the logarithms of t, c and g [Q] beside it."""

    def __init__(self, inputs: Inputs, size: int, dropout: float, hide_item: float = 0.0) -> None:
        super().__init__(inputs, size, dropout, hide_item)
        self.kernel = nn.Linear(size, size, bias=False)
        self.log_temperature = nn.Parameter(torch.tensor(_TEMPERATURE).log())
        self.log_nothing = nn.Parameter(torch.tensor(_NOTHING).log())
        self.log_gain = nn.Parameter(torch.full((len((CHOICE, LIKE)),), _GAIN).log())

    def adapted(self, tasks: Tasks, items: Items) -> Tensor:
        """The prior's logits and what the support says of each item, [Q, B, N + 1]."""
        users = self.prior(tasks).expand(len((CHOICE, LIKE)), -1, -1)
        attended = self.log_gain.exp().view(-1, 1, 1) * self.attended(tasks, items.factors)
        return self.of_both(users, items) + attended

    def attended(self, tasks: Tasks, factors: Tensor) -> Tensor:
        """The sum of a y [Q, B, N + 1], of all items; 0 of an empty support."""
        support = tasks.support
        rows, columns = (support.rows * support.mask).unique(return_inverse=True)
        recency = self.recency(tasks)
        values = torch.stack([recency, recency * (support.ratings - self.mean_rating)])
        given = values.new_zeros(2, len(tasks), len(rows))
        given = given.scatter_add(2, columns.expand_as(values), values)  # [2, B, M]
        encoded = F.normalize(self.kernel(factors), dim=1)
        shown, parts = encoded[tasks.items[rows]], []
        for part in encoded.split(max(1, _CELLS // len(rows))):
            nearness = ((shown @ part.T - 1) / self.log_temperature.exp()).exp()  # [M, C]
            chosen, rated = given @ nearness  # [B, C] each: sums over the support
            answers = chosen + self.of_rating.view(-1, 1, 1) * rated
            parts.append(answers / (self.log_nothing.exp() + chosen))
        return torch.cat(parts, dim=2)
