"""Batches of tasks, padded.

Shapes: B tasks, S support positions, Q query positions, M distinct items of the batch. A position
whose mask is False is padding: its item is 0 and its rating 0.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from meta_model.data.interaction_set import Asked, InteractionSet
from meta_model.data.ragged import NO_DAY
from schemas.dataset.spec import Feedback


@dataclass(frozen=True, kw_only=True)
class Tasks:
    """A batch of tasks.

    users: [B]; items: [M], the distinct items of support and query, the first of them 0
    in_statistics: [B], whether the item statistics hold the task's own ratings (train tasks)
    day: [B], of the list: that of the first interaction in the query, or later than all of them
    earlier_that_day: [B], how many interactions came before the first one here, on its day
    is_ordered: whether the interactions are in the order of time
    asked: where the support is answers to questions, what the questions were about
    """

    users: Tensor
    items: Tensor
    support: InteractionSet
    query: InteractionSet
    in_statistics: Tensor
    day: Tensor
    earlier_that_day: Tensor
    is_ordered: bool = True
    asked: Asked | None = None

    def __len__(self) -> int:
        return len(self.users)

    def __getitem__(self, chosen: Tensor) -> Tasks:
        """The tasks at `chosen`, a boolean [B] or indices."""
        return Tasks(
            users=self.users[chosen],
            items=self.items,
            support=self.support.map(lambda tensor: tensor[chosen]),
            query=self.query.map(lambda tensor: tensor[chosen]),
            in_statistics=self.in_statistics[chosen],
            day=self.day[chosen],
            earlier_that_day=self.earlier_that_day[chosen],
            is_ordered=self.is_ordered,
            asked=self.asked and self.asked.map(lambda tensor: tensor[chosen]),
        )

    def to(self, device: torch.device) -> Tasks:
        """On `device`; the copy to a GPU runs beside what it computes, from pinned memory."""

        def move(tensor: Tensor) -> Tensor:
            if device.type == "cuda" and tensor.device.type == "cpu":
                return tensor.pin_memory().to(device, non_blocking=True)
            return tensor.to(device)

        return Tasks(
            users=move(self.users),
            items=move(self.items),
            support=self.support.map(move),
            query=self.query.map(move),
            in_statistics=move(self.in_statistics),
            day=move(self.day),
            earlier_that_day=move(self.earlier_that_day),
            is_ordered=self.is_ordered,
            asked=self.asked and self.asked.map(move),
        )

    @property
    def padding(self) -> Tensor:
        """The number of padding positions, and of all positions: [2], not read from the device."""
        masks = [self.support.mask, self.query.mask]
        empty = torch.stack([(~mask).sum() for mask in masks]).sum()
        return torch.stack([empty, torch.full_like(empty, sum(mask.numel() for mask in masks))])

    def showing(self, known: int | None, feedback: Feedback = "explicit") -> Tasks:
        """The tasks with their first `known` interactions as support; None: with all of them.

        Sampled negatives do not count as interactions; those before the last one shown stay.
        """
        if known is None:
            return self
        mask, is_choice = self.support.mask, self.chosen(feedback).support.mask
        number = is_choice.cumsum(1)
        return self.knowing(mask & ((number < known) | ((number == known) & is_choice)))

    def knowing(self, shown: Tensor) -> Tasks:
        """The tasks with what is `shown` [B, S] of their support.

        Where nothing of a support is, nor is how much came before it: it may be of an earlier day
        than the list.
        """
        is_hidden = self.support.mask.any(1) & ~shown.any(1)
        earlier_that_day = self.earlier_that_day.masked_fill(is_hidden, 0)
        return replace(self, support=self.support.prefix(shown), earlier_that_day=earlier_that_day)

    def followed(self, known: int, n_next: int, feedback: Feedback = "explicit") -> Tasks:
        """The first `known` interactions as support, and as query the `n_next` that follow them.

        Of a support that is shorter, all of it is shown. Sampled negatives go with the interaction
        before them: what is shown is what `showing` shows.
        """
        whole = self.whole()
        is_choice = whole.chosen(feedback).support.mask
        n_support = self.chosen(feedback).support.mask.sum(1, keepdim=True)
        last = n_support.clamp(max=known)
        number = is_choice.cumsum(1)

        def is_until(last: Tensor) -> Tensor:
            return whole.support.mask & ((number < last) | ((number == last) & is_choice))

        shown, until_next = is_until(last), is_until(last + n_next)
        return self.asking(whole.support.prefix(shown), whole.support.only(until_next & ~shown))

    def chosen(self, feedback: Feedback) -> Tasks:
        """The tasks without sampled negatives, which are the ratings 0 of implicit feedback."""
        if feedback == "explicit":
            return self
        support, query = (
            replace(interactions, mask=interactions.mask & (interactions.ratings > 0))
            for interactions in (self.support, self.query)
        )
        return replace(self, support=support, query=query)

    def asking(self, support: InteractionSet, query: InteractionSet) -> Tasks:
        """The tasks with another support and another query, whose first day is that of the list."""
        days = query.days.masked_fill(~query.mask, NO_DAY).min(1).values
        day = torch.where(query.mask.any(1), days, self.day)
        return replace(self, support=support, query=query, day=day)

    @property
    def is_earlier(self) -> Tensor:
        """Whether an interaction of the support is of an earlier day than the list, [B, S].

        Without an order of time, as of answers to questions, none is.
        """
        return self.support.mask & (self.support.days < self.day.unsqueeze(1)) & self.is_ordered

    @property
    def n_of_day(self) -> Tensor:
        """How many interactions of the list's day are known, [B]: in the support, and before it.

        What came before the support is not shown, but how much it was is known.
        """
        of_support = (self.support.mask & ~self.is_earlier).sum(1)
        if not self.is_ordered:
            return of_support
        begins = torch.where(self.support.mask[:, 0], self.support.days[:, 0], self.day)
        return of_support + torch.where(begins == self.day, self.earlier_that_day, 0)

    @property
    def is_later(self) -> Tensor:
        """Whether the list is of a later day than all of a support that is not empty, [B]."""
        mask = self.support.mask
        later: Tensor = mask.any(1) & (self.is_earlier == mask).all(1)
        return later

    def on_last_day(self, n_next: int) -> Tasks:
        """What came before the last day as support, and the first `n_next` of that day as query.

        Only tasks of several days are left.
        """
        whole = self.whole().support
        last = whole.days.masked_fill(~whole.mask, -NO_DAY).max(1, keepdim=True).values
        before, then = (whole.mask & is_then for is_then in (whole.days < last, whole.days == last))
        first = then & (then.cumsum(1) <= n_next)
        asked = self.asking(whole.prefix(before), whole.only(first))
        return asked[before.any(1)]

    def liked_in_query(self, n_items: int, liked_from: float) -> Tensor:
        """Whether an item is in the query and rated `liked_from` or more, [B, N + 1]."""
        is_liked = self.query.mask & (self.query.ratings >= liked_from)
        liked = torch.zeros(len(self), n_items + 1, dtype=torch.bool, device=is_liked.device)
        liked.scatter_(1, self.items[self.query.rows] * is_liked, value=True)
        liked[:, 0] = False  # where all others went
        return liked

    def whole(self) -> Tasks:
        """The same tasks with the query's interactions added to the support."""
        both = (self.support, self.query)
        joined = {
            field.name: torch.cat([getattr(each, field.name) for each in both], dim=1)
            for field in fields(InteractionSet)
        }
        return replace(self, support=InteractionSet(**joined))
