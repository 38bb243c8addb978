"""What all models of choices share: a catalogue, a prior of users, and a softmax of both.

    P_q(i) =  softmax_i( s_q e_i . u_q + b_q,i )  over the catalogue less the support

Two questions q are asked of the same factors: what the user chooses next, and what they choose next
among the items that they will like. Learners (`choice.learners`) differ in their local update: how
the support moves a user's vector u_q away from the prior u0, or the logits themselves.

e_i, a row of E, is the item's own embedding plus the mean embedding of its attributes, so that a
new item has one. b_q,i starts at the logarithm of the item's popularity, or for a new item of what
its attributes promise, and so does the list of an unknown user. u0 is linear in the user's
attributes. s is learnt.

In the order of time, a user's first choices differ from the later ones, and what they chose last
says most of what comes next (docs/adr/0032). After k interactions u0 has moved by k / (k + 1) of a
direction that is everyone's; where no order is known, by half of it. In every local update an
interaction counts 2^(-n / h), where n others follow it. On a later day a user begins anew
(docs/adr/0033): k counts the interactions of the day alone, and those of earlier days count v times
as much in the update. The direction, h and v are learnt.

Training shows some items as new ones, another draw for each batch (DropoutNet, Volkovs et al.,
NIPS 2017): their attributes have to do.

Shapes: B tasks, S support positions, N items (by index from 1; row 0 is padding), F factors,
Q = 2 questions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from meta_model.choice.content import expected_interactions
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.encoders.embedding import Attributes, FeatureEmbedding

_STD = 0.1

# The questions, by their place in what holds both.
CHOICE, LIKE = 0, 1


@dataclass(frozen=True, kw_only=True)
class Items:
    """The items of a softmax: factors E [N + 1, F], biases [Q, N + 1], is_trained [N + 1].

    catalogue: the factors of the whole catalogue, which is these, or more (`choice.sampling`)
    """

    factors: Tensor
    biases: Tensor
    is_trained: Tensor
    catalogue: Tensor


class ChoiceModel(nn.Module, ABC):
    """`size`: F; `dropout`: the share of factors that training hides, the same ones in a batch.

    hide_item: the share of items that training shows as new ones
    """

    is_trained: Tensor
    promised: Tensor  # log share of interactions that an item's attributes promise, [N + 1]
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
        self.later = nn.Parameter(torch.zeros(size))  # where u0 moves as interactions come
        popularity = ((counts + 1) / (counts + 1).sum()).log().float()
        promised = (expected_interactions(inputs.items, counts) + 1) / (counts + 1).sum()
        usual = popularity[counts > 0].mean() if (counts > 0).any() else popularity.mean()
        self.own_bias = nn.Parameter(popularity - usual)
        self.liked_bias = nn.Parameter(torch.zeros(len(counts)))  # of the second question
        self.bias_of_values = FeatureEmbedding(self.item_attributes, 1, 0.0)
        self.usual_bias = nn.Parameter(usual.clone())
        # Of the posterior, which every learner's factors have: `choice.posterior`.
        self.log_unchosen = nn.Parameter(torch.tensor(0.03).log())  # of w0
        self.log_ridge = nn.Parameter(torch.tensor(1.0).log())  # of l
        self.of_rating = nn.Parameter(torch.tensor([0.1, 0.2]))  # r
        self.log_scale = nn.Parameter(torch.tensor([3.0, 3.0]).log())  # of s
        self.log_half_life = nn.Parameter(torch.tensor(5.0).log())  # of h
        self.logit_earlier = nn.Parameter(torch.tensor(0.0))  # of v
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("is_trained", counts > 0)
        self.register_buffer("promised", promised.log().float(), persistent=False)
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
        of_item = torch.where(is_known, self.usual_bias + self.own_bias, self.promised)
        biases = of_item + content_bias
        own = self.own * is_known.unsqueeze(1)
        factors = self.dropout(own + _means(self.of_items, *attributes))
        return Items(
            factors=factors,
            biases=torch.stack([biases, biases + self.liked_bias * is_known]),
            is_trained=self.is_trained,
            catalogue=factors,
        )

    def prior(self, tasks: Tasks) -> Tensor:
        """u0 [B, F], which knows how many interactions the day has had, and none of their items."""
        if not tasks.is_ordered:
            return self.at_any_time(tasks.users)
        known = tasks.n_of_day.unsqueeze(1)
        return self.unknown(tasks.users) + known / (known + 1) * self.later

    def unknown(self, users: Tensor) -> Tensor:
        """u0 [B, F] of users of whom nothing is known but attributes."""
        return _means(self.of_users, *self.user_attributes(users)) + self.everyone

    def at_any_time(self, users: Tensor) -> Tensor:
        """u0 [B, F] where no order says how much the day has had: as after one interaction."""
        # Only an order teaches the direction; without one in training it stays zero.
        return self.unknown(users) + self.later.detach() / 2

    def recency(self, tasks: Tasks) -> Tensor:
        """How much each position of the support counts, 2^(-n / h) [B, S]; 0 of padding.

        v times as much on a day before the query's. Of tasks without an order of time, 1.
        """
        mask = tasks.support.mask
        if not tasks.is_ordered:
            return mask.to(self.everyone)
        after = (mask.flip(1).cumsum(1).flip(1) - 1).clamp(min=0)
        recency = mask * torch.exp2(-after / self.log_half_life.exp())
        return torch.where(tasks.is_earlier, self.logit_earlier.sigmoid() * recency, recency)

    def unchosen(self, factors: Tensor) -> Tensor:
        """w0 E^T E [F, F]: how little every item counts as not chosen (`choice.posterior`)."""
        return self.log_unchosen.exp() * (factors.mT @ factors)

    def answers(self, ratings: Tensor, question: int = LIKE) -> Tensor:
        """y of ratings: what a choice says, which is 1, and how far it was liked."""
        return 1 + self.of_rating[question] * (ratings - self.mean_rating)

    def logits(self, users: Tensor, items: Items, question: int = LIKE) -> Tensor:
        """[B, N + 1] of users u [B, F], before the support is left out."""
        scale = self.log_scale[question].exp()
        return scale * users @ items.factors.mT + items.biases[question]

    def of_both(self, users: Tensor, items: Items) -> Tensor:
        """The logits [Q, B, N + 1] of a vector u for each question [Q, B, F]."""
        return torch.stack([self.logits(users[q], items, q) for q in (CHOICE, LIKE)])

    @abstractmethod
    def adapted(self, tasks: Tasks, items: Items) -> Tensor:
        """The logits [Q, B, N + 1] after the local update, before the support is left out."""

    def forward(self, tasks: Tasks, items: Items | None = None) -> Tensor:
        """Log probabilities of both questions [Q, B, N + 1]; -inf for the support.

        items: those of this model, where they are known already, or a sample and its tasks
        """
        items = self.items() if items is None else items
        return self.log_probabilities(self.adapted(tasks, items), tasks, items)

    def log_probabilities(self, logits: Tensor, tasks: Tasks, items: Items) -> Tensor:
        """Of logits [Q, B, N + 1]: -inf for the support, the others are what is chosen from.

        New items are among them, but not in training, which cannot choose them.
        """
        excluded = torch.zeros_like(logits[0], dtype=torch.bool)
        if self.training:
            excluded |= ~items.is_trained
        # Padding names item 0, which nobody can choose.
        excluded.scatter_(1, tasks.items[tasks.support.rows] * tasks.support.mask, value=True)
        excluded[:, 0] = True
        return F.log_softmax(logits.masked_fill(excluded, -torch.inf), dim=2)


class UserVectors(ChoiceModel):
    """A model whose local update moves the user's vector, and nothing else."""

    @abstractmethod
    def adapt(self, tasks: Tasks, items: Items) -> Tensor:
        """The local update, u [Q, B, F]."""

    def adapted(self, tasks: Tasks, items: Items) -> Tensor:
        """The logits [Q, B, N + 1] of the adapted vectors."""
        return self.of_both(self.adapt(tasks, items), items)


def _means(embedding: FeatureEmbedding, values: Tensor, weights: Tensor) -> Tensor:
    """The mean of each entity's feature embeddings, [K, size of one]; zero without features."""
    size = embedding.table.shape[1]
    n_features = embedding.output_size // size
    features: Tensor = embedding(values, weights)
    return features.view(len(values), n_features, size).sum(1) / max(n_features, 1)
