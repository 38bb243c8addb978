"""A user's taste by gradient steps: MeLU's local update, on the likelihood of the support's items.

    L_q(u)  =  - sum_S d_i y_q,i log softmax_i( s_q E u + b_q ) / (sum_S d_i + c)
    u_q     <- u_q - a_k,q dL_q/du,   k = 1, 2, 3,   from u0;   y_q = 1 + r_q (rating - mu)

Embeddings of items and attributes are shared, and only what comes after them is adapted (MeLU, Lee
et al., KDD 2019, section 3.2): here that is one linear layer over the items' factors, whose weights
are the user's vector. The loss of the local update is that of the global one, of the support
instead of the query (MAML, Finn et al., ICML 2017). The rates a of each step and question are
learnt (MAML++, Antoniou et al., ICLR 2019, section 4), and so is the damping c, which makes the
steps of a short support small. d_i says how recent i is. The softmax is over the items that
training knows, the support among them; in training, where that is a sample (`choice.sampling`), the
steps follow an estimate of L.

The gradient of L is written out, -s (sum d y e_i - sum d y E^T p) / (sum d + c), so that training
differentiates through it: the global update is second order.

Shapes: B tasks, S support positions, N items (row 0 is padding), F factors, Q = 2 questions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from meta_model.choice.model import CHOICE, LIKE, Items, UserVectors
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks

_STEPS = 3
_RATE, _DAMPING = 0.5, 3.0  # where learning begins


class MeLU(UserVectors):
    """Gradient steps on the user's vector; `log_rates` [steps, Q] are of a, `log_damping` of c."""

    def __init__(self, inputs: Inputs, size: int, dropout: float, hide_item: float = 0.0) -> None:
        super().__init__(inputs, size, dropout, hide_item)
        self.log_rates = nn.Parameter(torch.full((_STEPS, len((CHOICE, LIKE))), _RATE).log())
        self.log_damping = nn.Parameter(torch.tensor(_DAMPING).log())

    def adapt(self, tasks: Tasks, items: Items) -> Tensor:
        """The local update, u [Q, B, F]."""
        users = self.prior(tasks).expand(len((CHOICE, LIKE)), -1, -1)
        for rates in self.log_rates.exp():
            users = users - rates.view(-1, 1, 1) * self.local_gradient(users, tasks, items)
        return users

    def local_gradient(self, users: Tensor, tasks: Tasks, items: Items) -> Tensor:
        """dL/du [Q, B, F] at vectors [Q, B, F]; 0 of an empty support."""
        support = tasks.support
        answers = torch.stack([self.answers(support.ratings, q) for q in (CHOICE, LIKE)])
        recency = self.recency(tasks)
        damped = recency.sum(1, keepdim=True) + self.log_damping.exp()
        weights = (answers * recency / damped).unsqueeze(2)  # [Q, B, 1, S]
        shown = (weights @ items.factors[tasks.items[support.rows]]).squeeze(2)
        logits = self.of_both(users, items).masked_fill(~items.is_trained, -torch.inf)
        expected = weights.sum(3) * (logits.softmax(2) @ items.factors)
        return self.log_scale.exp().view(-1, 1, 1) * (expected - shown)
