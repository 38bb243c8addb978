"""A user's taste in closed form: ridge regression on learnt item factors, choice by softmax.

    A      =  E_S^T E_S + w0 E^T E + l I
    u_q    =  u0 + A^-1 (E_S^T y_q - (A - l I) u0),   y_q = 1 + r_q (rating - mu)
    P_q(i) =  softmax_i( s_q e_i . u_q + b_q,i )  over the catalogue less the support

Two questions q are asked of the same factors: what the user chooses next, and what they choose next
among the items that they will like. One factorisation of A answers both.

The local update is solved exactly, and the factors are learnt through it (R2-D2, Bertinetto et al.,
ICLR 2019, eq. 4; ALPaCA, Harrison et al., 2018). With u0 = 0 it is the fold-in of weighted matrix
factorisation (Hu, Koren and Volinsky, ICDM 2008, eq. 4): every item counts a little as not chosen
(w0), those of the support as chosen. e_i, a row of E, is the item's own embedding plus the mean
embedding of its attributes, so that a new item has one. u0 is linear in the user's attributes.
b_q,i starts at the logarithm of the item's popularity, and so does the list of an unknown user; of
a new item it is what its attributes say. w0, l, r and s are learnt.

Training shows some items as new ones, another draw for each batch (DropoutNet, Volkovs et al.,
NIPS 2017): their attributes have to do.

Shapes: B tasks, S support positions, N items (by index from 1; row 0 is padding), F factors,
Q = 2 questions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.encoders.embedding import Attributes, FeatureEmbedding

_STD = 0.1

# The questions, by their place in what holds both.
CHOICE, LIKE = 0, 1


@dataclass(frozen=True, kw_only=True)
class Items:
    """The catalogue by item index: factors E [N + 1, F] and biases [Q, N + 1]."""

    factors: Tensor
    biases: Tensor


class Ridge(nn.Module):
    """`size`: F; `dropout`: the share of factors that training hides, the same ones in a batch.

    hide_item: the share of items that training shows as new ones
    """

    is_trained: Tensor
    mean_rating: Tensor

    def __init__(self, inputs: Inputs, size: int, dropout: float, hide_item: float = 0.0) -> None:
        super().__init__()
        self.hide_item = hide_item
        statistics = inputs.statistics()
        counts = statistics.counts
        self.item_attributes, self.user_attributes = (
            Attributes(features) for features in (inputs.items, inputs.users)
        )
        self.of_items = FeatureEmbedding(self.item_attributes, size, _STD)
        self.of_users = FeatureEmbedding(self.user_attributes, size, _STD)
        self.own = nn.Parameter(torch.randn(len(counts), size) * _STD)
        self.everyone = nn.Parameter(torch.zeros(size))
        popularity = ((counts + 1) / (counts + 1).sum()).log().float()
        usual = popularity[counts > 0].mean() if (counts > 0).any() else popularity.mean()
        self.own_bias = nn.Parameter(popularity - usual)
        self.liked_bias = nn.Parameter(torch.zeros(len(counts)))  # of the second question
        self.bias_of_values = FeatureEmbedding(self.item_attributes, 1, 0.0)
        self.usual_bias = nn.Parameter(usual.clone())
        self.log_unchosen = nn.Parameter(torch.tensor(0.03).log())  # of w0
        self.log_ridge = nn.Parameter(torch.tensor(1.0).log())  # of l
        self.of_rating = nn.Parameter(torch.tensor([0.1, 0.2]))  # r
        self.log_scale = nn.Parameter(torch.tensor([3.0, 3.0]).log())  # of s
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("is_trained", counts > 0)
        mean = statistics.sums.sum() / counts.sum().clamp(min=1)
        self.register_buffer("mean_rating", mean.float())

    def items(self) -> Items:
        """The catalogue: in training another one each time, with some items as new ones."""
        is_known = self.is_trained
        if self.training and self.hide_item:
            chance = torch.rand(len(is_known), device=is_known.device)
            is_known = is_known & (chance >= self.hide_item)
        attributes = (self.item_attributes.values, self.item_attributes.weights)
        content_bias = _means(self.bias_of_values, *attributes).squeeze(1)
        biases = self.usual_bias + content_bias + self.own_bias * is_known
        own = self.own * is_known.unsqueeze(1)
        return Items(
            factors=self.dropout(own + _means(self.of_items, *attributes)),
            biases=torch.stack([biases, biases + self.liked_bias * is_known]),
        )

    def prior(self, users: Tensor) -> Tensor:
        """u0 [B, F]."""
        return _means(self.of_users, *self.user_attributes(users)) + self.everyone

    def adapt(self, tasks: Tasks, factors: Tensor) -> Tensor:
        """The local update, u [Q, B, F]."""
        prior, mask = self.prior(tasks.users), tasks.support.mask
        shown = factors[tasks.items[tasks.support.rows]] * mask.unsqueeze(-1)
        ratings = tasks.support.ratings
        targets = torch.stack([self.answers(ratings, q) * mask for q in (CHOICE, LIKE)], dim=-1)
        chosen = shown.mT @ shown + self.unchosen(factors)
        pulled = shown.mT @ targets - chosen @ prior.unsqueeze(-1)  # [B, F, Q]
        ridge = self.log_ridge.exp().expand(len(self.everyone)).diag()
        factor = torch.linalg.cholesky(chosen + ridge)
        users: Tensor = prior.unsqueeze(-1) + torch.cholesky_solve(pulled, factor)
        return users.permute(2, 0, 1)

    def unchosen(self, factors: Tensor) -> Tensor:
        """w0 E^T E [F, F]: what A has of every item, chosen or not."""
        return self.log_unchosen.exp() * (factors.mT @ factors)

    def answers(self, ratings: Tensor, question: int = LIKE) -> Tensor:
        """y of ratings: what a choice says, which is 1, and how far it was liked."""
        return 1 + self.of_rating[question] * (ratings - self.mean_rating)

    def logits(self, users: Tensor, items: Items, question: int = LIKE) -> Tensor:
        """[B, N + 1] of users u [B, F], before the support is left out."""
        scale = self.log_scale[question].exp()
        return scale * users @ items.factors.mT + items.biases[question]

    def forward(self, tasks: Tasks, items: Items | None = None) -> Tensor:
        """Log probabilities of both questions [Q, B, N + 1]; -inf for the support.

        New items are among what is chosen from, but not in training, which cannot choose them.
        items: those of this model, where they are known already
        """
        items = self.items() if items is None else items
        users = self.adapt(tasks, items.factors)
        logits = torch.stack([self.logits(users[q], items, q) for q in (CHOICE, LIKE)])
        excluded = torch.zeros_like(logits[0], dtype=torch.bool)
        if self.training:
            excluded |= ~self.is_trained
        # Padding names item 0, which nobody can choose.
        excluded.scatter_(1, tasks.items[tasks.support.rows] * tasks.support.mask, value=True)
        excluded[:, 0] = True
        return F.log_softmax(logits.masked_fill(excluded, -torch.inf), dim=2)


def _means(embedding: FeatureEmbedding, values: Tensor, weights: Tensor) -> Tensor:
    """The mean of each entity's feature embeddings, [K, size of one]; zero without features."""
    size = embedding.table.shape[1]
    n_features = embedding.output_size // size
    features: Tensor = embedding(values, weights)
    return features.view(len(values), n_features, size).sum(1) / max(n_features, 1)
