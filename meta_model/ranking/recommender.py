"""Lists of the catalogue: what a user will choose next and like, and how many stars it will get.

    log P(i)  =  log_softmax_i( log P_like(i) + a trend(i) + w c^2 near(i) )

P_like is the model of choices (`choice.model`), near what its neighbours say (`choice.neighbours`),
and trend how the item's popularity moved of late (`choice.trend`). c is the largest weight of the
user's interactions: 1, but less where all are of earlier days. Neighbours are items that users
chose together, most often on one day, so they count by its square (docs/adr/0033).
The whole catalogue is ordered, so that no first stage loses an item; the learner of ratings scores
the items that are listed.

Shapes: B tasks, N items, K ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import torch
from torch import Tensor

from meta_model.choice.interactions import Interactions
from meta_model.choice.model import CHOICE, LIKE, ChoiceModel, Items
from meta_model.choice.neighbours import Neighbours
from meta_model.choice.trend import held_out_trend, trend_at_ds
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.learners import Learner
from meta_model.ranking.by_rating import CatalogueRatings, best, without_met
from meta_model.ranking.calibration import Calibration
from schemas.dataset.spec import Feedback


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """The lists of a batch, [B, K] each, in order; item 0 where a list has ended.

    log_choice: log P(the next choice); scores: expected ratings; likes: logits of p_like
    """

    items: Tensor
    log_choice: Tensor
    scores: Tensor
    likes: Tensor


@dataclass(frozen=True, kw_only=True)
class Recommender:
    """A night's model whole: a learner of ratings, a model of choices, and their calibration."""

    learner: Learner
    choice: ChoiceModel
    neighbours: Neighbours
    trend: Tensor  # [N + 1], before it is weighted
    calibration: Calibration
    config: Config
    feedback: Feedback
    device: torch.device

    @staticmethod
    def of(
        learner: Learner, choice: ChoiceModel, config: Config, inputs: Inputs, device: torch.device
    ) -> Recommender:
        """Of models as they are, for the inputs that they are of; not calibrated.

        The neighbours are those of the inputs' training users, and the trend is that before their
        held-out days, also for an older model.
        """
        return Recommender(
            learner=learner.to(device).eval(),
            choice=choice.to(device).eval(),
            neighbours=Neighbours(
                read=partial(Interactions.of, inputs),
                items=inputs.items,
                liked_from=inputs.liked_from,
                device=device,
            ),
            trend=held_out_trend(inputs).to(device),
            calibration=Calibration(next_items=config.training.query_size),
            config=config,
            feedback=inputs.feedback,
            device=device,
        )

    def having(self, values: Mapping[str, object]) -> Recommender:
        """The same models with other options: `{"choice.neighbour_weight": 0.0}`."""
        return replace(self, config=self.config.having(values))

    def at_ds(self, inputs: Inputs) -> Recommender:
        """The same with the trend at ds instead of that before the held-out days: to publish."""
        return replace(self, trend=trend_at_ds(inputs, self.choice.items()).to(self.device))

    @property
    def n_items(self) -> int:
        """N: how many items the model knows, new ones included."""
        return len(self.choice.is_trained) - 1

    @torch.no_grad()
    def ranked(self, tasks: Tasks, k: int) -> Ranked:
        """The first k items of each task's list, in order; none that the user has met."""
        tasks = self._to_rank_for(tasks)
        log_choice, log_like = self.log_probabilities(tasks)
        keys = self._keys(tasks, log_choice, log_like)
        columns = best(keys, k)
        items = columns.masked_fill(keys.gather(1, columns) == -torch.inf, 0)
        return Ranked(
            items=items,
            log_choice=log_choice.gather(1, items),
            scores=self._by_kind(
                tasks, lambda some, adapts, rows: self._ratings.of_some(some, adapts, items[rows])
            ),
            likes=self.calibration.logits(
                log_like.gather(1, items), self.n_known(tasks), tasks.is_later
            ),
        )

    @torch.no_grad()
    def scores(self, tasks: Tasks) -> Tensor:
        """The keys of all items, [B, N + 1]; -inf for those that are in no list."""
        tasks = self._to_rank_for(tasks)
        return self._keys(tasks, *self.log_probabilities(tasks)).cpu()

    def adapts(self, tasks: Tasks) -> Tensor:
        """Whether there is enough of a support to adapt on, [B]."""
        known = tasks.chosen(self.feedback).support.mask.sum(1)
        enough: Tensor = known >= self.config.products.min_adapt
        return enough

    def n_known(self, tasks: Tasks) -> Tensor:
        """How many interactions the list is adapted to, [B]."""
        known: Tensor = tasks.chosen(self.feedback).support.mask.sum(1) * self.adapts(tasks)
        return known

    def log_probabilities(self, tasks: Tasks) -> tuple[Tensor, Tensor]:
        """Of the next choice, and of the next one that is liked, [B, N + 1] each.

        -inf for what the user has met.
        """
        chosen = tasks.chosen(self.feedback)
        shown = chosen.knowing(chosen.support.mask & self.adapts(tasks).unsqueeze(1))
        log_probabilities: Tensor = self.choice(shown, self._items) + self._weighted_trend
        log_probabilities = without_met(log_probabilities, tasks, self.feedback)
        log_choice, log_like = log_probabilities[CHOICE], log_probabilities[LIKE]
        if weight := self.config.choice.neighbour_weight:
            recency = self.choice.recency(shown)
            near = self.neighbours.near(shown, recency)
            log_like = log_like + weight * recency.max(1, keepdim=True).values.square() * near
        return log_choice.log_softmax(1), log_like.log_softmax(1)

    def _to_rank_for(self, tasks: Tasks) -> Tasks:
        """On the device, and without the query: some learners look at the items of it."""
        return replace(tasks, query=tasks.query.hidden()).to(self.device)

    def _keys(self, tasks: Tasks, log_choice: Tensor, log_like: Tensor) -> Tensor:
        """By what the config ranks, [B, N + 1]: the higher, the further up; -inf: not at all."""
        if self.config.products.rank_by == "p_like":  # which is monotone in it
            return log_like
        if self.config.products.rank_by == "choice":
            return log_choice
        found = self._by_kind(tasks, lambda some, adapts, _: self._ratings.of_all(some, adapts))
        return without_met(found, tasks, self.feedback)

    def _by_kind(self, tasks: Tasks, function: Callable[[Tasks, bool, Tensor], Tensor]) -> Tensor:
        """The function of the tasks that adapt, and of those that do not, in the tasks' order.

        Both kinds in one batch would need masks in every learner; two passes need nothing.
        """
        adapts = self.adapts(tasks)
        rows = [adapts.nonzero().squeeze(1), (~adapts).nonzero().squeeze(1)]
        parts = [
            function(tasks[of], is_adapted, of)
            for of, is_adapted in zip(rows, (True, False), strict=True)
            if len(of)
        ]
        return torch.cat(parts)[torch.cat(rows).argsort()]

    # The catalogue's part of the scores is the same for all users, and computed once.

    @cached_property
    def _items(self) -> Items:
        return self.choice.items()

    @cached_property
    def _weighted_trend(self) -> Tensor:
        """[N + 1] of every user: a support is adapted to without it, as in training."""
        return (self.config.choice.trend_weight * self.trend).float()

    @cached_property
    def _ratings(self) -> CatalogueRatings:
        return CatalogueRatings(self.learner, self.n_items, self.device)
