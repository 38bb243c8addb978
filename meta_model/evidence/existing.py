"""Existing users playing new ones: what they would have answered at first, and what they like.

Only the first task of each user counts, which is as long as the test task of a new user. New users
have met little: a list that is chosen by all that existing users ever met asks about items that new
users do not know (docs/adr/0039). Tasks without an order of time all count as the first.

Shapes: B tasks, U users, N items, C candidates, P pairs of a user and an item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from meta_model.choice.model import ChoiceModel
from meta_model.config import Config
from meta_model.data.batching import batches
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks

_BATCH_TASKS = 512
_MOST_A_DAY = 2**32  # more interactions than a user has in a day
_NEVER = torch.iinfo(torch.int64).max


@dataclass(frozen=True, kw_only=True)
class Existing:
    """Existing users, and the items that new users may be asked about.

    users: [U], by user index; candidates: [C], by item index
    ratings: [U, C] in first tasks; knows: [U, C], whether the candidate is in the first task
    is_liked: [U, C], whether they like it
    answer_rates: the share of these users who know an item, by item index [N + 1]
    liked_rows, liked_items: [P], all that users like in first tasks: a row of `users`, ascending,
    and an item
    """

    users: Tensor
    candidates: Tensor
    ratings: Tensor
    knows: Tensor
    is_liked: Tensor
    answer_rates: Tensor
    liked_rows: Tensor
    liked_items: Tensor

    def __len__(self) -> int:
        return len(self.users)

    def among(self, is_member: Tensor) -> Existing:
        """Those who are members [U]; the candidates stay."""
        row = is_member.cumsum(0) - 1
        is_kept = is_member[self.liked_rows]
        return replace(
            self,
            users=self.users[is_member],
            ratings=self.ratings[is_member],
            knows=self.knows[is_member],
            is_liked=self.is_liked[is_member],
            liked_rows=row[self.liked_rows[is_kept]],
            liked_items=self.liked_items[is_kept],
        )


def existing_users(
    inputs: Inputs, model: ChoiceModel, config: Config, always: Sequence[int] = ()
) -> Existing:
    """The users of training and validation who came last, and what most of them rated at first.

    As many as `products.evidence_users`: users who came long ago began with the items of then. Of
    users who came at the same time, the config's seed draws some.
    always: items that are candidates however few rated them
    """
    users, rows, items, ratings = _pairs(inputs, config.products.evidence_users, config.seed)
    is_trained = model.is_trained.cpu()[items]
    rows, items, ratings = rows[is_trained], items[is_trained], ratings[is_trained]
    counts = items.bincount(minlength=len(inputs.item_profiles) + 1)
    most = counts.argsort(descending=True, stable=True)[: config.products.evidence_candidates]
    candidates = torch.tensor([*dict.fromkeys([*most.tolist(), *always])], dtype=torch.int64)
    candidates = candidates[counts[candidates] > 0]
    column = torch.full_like(counts, -1)
    column[candidates] = torch.arange(len(candidates))
    asked = column[items] >= 0
    cells = (rows[asked], column[items[asked]])
    of_candidates = torch.zeros(len(users), len(candidates))
    of_candidates[cells] = ratings[asked]
    knows = torch.zeros_like(of_candidates, dtype=torch.bool)
    knows[cells] = True
    likes = ratings >= inputs.liked_from
    device = model.is_trained.device
    return Existing(
        users=users.to(device),
        candidates=candidates.to(device),
        ratings=of_candidates.to(device),
        knows=knows.to(device),
        is_liked=(knows & (of_candidates >= inputs.liked_from)).to(device),
        answer_rates=(counts / max(1, len(users))).to(device),
        liked_rows=rows[likes].to(device),
        liked_items=items[likes].to(device),
    )


def _pairs(inputs: Inputs, n_users: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Users [U], and of each of their first interactions the user's row, item and rating [P].

    Tasks of a user that are all the first may share an interaction.
    """
    episodes, n_items = inputs.episodes.split("train", "validation"), len(inputs.item_profiles)
    first = _first_beginnings(episodes, len(inputs.user_profiles))
    known = (first < _NEVER).nonzero().squeeze(1)
    drawn = known[torch.randperm(len(known), generator=torch.Generator().manual_seed(seed))]
    latest = first[drawn].argsort(descending=True, stable=True)
    users = drawn[latest[:n_users]].sort().values
    row = torch.full_like(first, -1)
    row[users] = torch.arange(len(users))
    pairs, ratings = [], []
    for tasks in batches(episodes, _BATCH_TASKS):
        begun = tasks[(row[tasks.users] >= 0) & (_beginnings(tasks) == first[tasks.users])]
        past = begun.whole().chosen(inputs.feedback).support
        rows = row[begun.users].unsqueeze(1).expand_as(past.mask)[past.mask]
        pairs.append(rows * (n_items + 1) + begun.items[past.rows[past.mask]])
        ratings.append(past.ratings[past.mask])
    distinct, place = torch.cat(pairs).unique(return_inverse=True)
    of_pairs = torch.zeros(len(distinct)).scatter_(0, place, torch.cat(ratings))
    return users, distinct // (n_items + 1), distinct % (n_items + 1), of_pairs


def _first_beginnings(episodes: Episodes, n_users: int) -> Tensor:
    """When each user's first task begins, by user index [N + 1]; `_NEVER` of one without a task."""
    first = torch.full((n_users + 1,), _NEVER)
    for tasks in batches(episodes, _BATCH_TASKS):
        first.scatter_reduce_(0, tasks.users, _beginnings(tasks), "amin")
    return first


def _beginnings(tasks: Tasks) -> Tensor:
    """When tasks begin [B]: a number that rises with the day, and with the number in that day."""
    days = tasks.support.days[:, 0].long()
    return days * _MOST_A_DAY + tasks.earlier_that_day
