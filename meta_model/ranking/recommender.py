"""Lists of the catalogue: retrieve candidates by choice, score them by rating, order by both.

Shapes: B tasks, N items, C candidates, K ranks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property

import torch
from torch import Tensor

from meta_model.choice.ridge import Items, Ridge
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.item_statistics import ItemPositions
from meta_model.data.tasks import Tasks
from meta_model.learners import Learner
from meta_model.ranking.by_rating import BLOCK, Chunk, best, catalogue_chunks, rank
from meta_model.ranking.calibration import Calibration
from schemas.dataset.spec import Feedback


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Items of the catalogue for each task, [B, C] each; item 0 where there are no further ones.

    log_choice: log P(the next choice); scores: expected ratings; keys: the higher, the further up
    """

    items: Tensor
    log_choice: Tensor
    scores: Tensor
    likes: Tensor  # logits of p_like
    keys: Tensor

    def at(self, columns: Tensor) -> Candidates:
        """Those in the columns [B, K], in their order."""
        values = {f.name: getattr(self, f.name).gather(1, columns) for f in fields(Candidates)}
        return Candidates(**values)


@dataclass(frozen=True, kw_only=True)
class Recommender:
    """A night's model whole: a learner of ratings, a model of choices, and their calibration."""

    learner: Learner
    choice: Ridge
    calibration: Calibration
    config: Config
    feedback: Feedback
    device: torch.device

    @staticmethod
    def of(
        learner: Learner, choice: Ridge, config: Config, inputs: Inputs, device: torch.device
    ) -> Recommender:
        """Of models as they are, for the inputs that they are of; not calibrated."""
        return Recommender(
            learner=learner.to(device).eval(),
            choice=choice.to(device).eval(),
            calibration=Calibration(next_items=config.query_size),
            config=config,
            feedback=inputs.feedback,
            device=device,
        )

    @property
    def n_items(self) -> int:
        return len(self.choice.is_trained) - 1

    @torch.no_grad()
    def ranked(self, tasks: Tasks, k: int) -> Candidates:
        """The first k items of each task's list, in order; none that the user has met."""
        found = self.candidates(tasks.to(self.device))
        return found.at(best(found.keys, k))

    @torch.no_grad()
    def scores(self, tasks: Tasks) -> Tensor:
        """The keys of all items, [B, N + 1]; -inf for those that are no candidates."""
        found = self.candidates(tasks.to(self.device))
        keys = found.keys.new_full((len(tasks), self.n_items + 1), -torch.inf)
        keys.scatter_(1, found.items, found.keys)
        keys[:, 0] = -torch.inf
        return keys.cpu()

    @property
    def n_candidates(self) -> int:
        """As many as are to be ordered, or to be listed."""
        return min(self.n_items, max(self.config.candidates, self.config.top_items))

    def adapts(self, tasks: Tasks) -> Tensor:
        """Whether there is enough of a support to adapt on, [B]."""
        enough: Tensor = tasks.chosen(self.feedback).support.mask.sum(1) >= self.config.min_adapt
        return enough

    def candidates(self, tasks: Tasks) -> Candidates:
        """What is chosen from; in no order."""
        adapts = self.adapts(tasks)
        if adapts.all() or not adapts.any():
            return self._candidates(tasks, bool(adapts.all()))
        # Both kinds in one batch would need masks in every learner; two passes need nothing.
        of_kinds = [self._candidates(tasks[kind], kind is adapts) for kind in (adapts, ~adapts)]
        rows = torch.cat([adapts.nonzero(), (~adapts).nonzero()]).squeeze(1).argsort()
        joined = {
            f.name: torch.cat([getattr(of_kind, f.name) for of_kind in of_kinds])[rows]
            for f in fields(Candidates)
        }
        return Candidates(**joined)

    def _candidates(self, tasks: Tasks, is_adapted: bool) -> Candidates:
        log_choice = self._log_choice(tasks, is_adapted)
        if self.config.rank_by == "rating":
            items, _ = rank(
                self.learner, tasks, is_adapted, self._chunks, self.n_candidates, self.feedback
            )
        else:
            columns = best(log_choice, self.n_candidates)
            items = columns.masked_fill(log_choice.gather(1, columns) == -torch.inf, 0)
        chosen = log_choice.gather(1, items)
        scores = torch.cat(list(self._scores(tasks, is_adapted, items)), dim=1)
        n_support = tasks.chosen(self.feedback).support.mask.sum(1) * is_adapted
        likes = self.calibration.logits(chosen, scores, n_support)
        keys = {"p_like": likes, "choice": chosen.double(), "rating": scores.double()}
        key = keys[self.config.rank_by].masked_fill(items == 0, -torch.inf)
        return Candidates(items=items, log_choice=chosen, scores=scores, likes=likes, keys=key)

    def _log_choice(self, tasks: Tasks, is_adapted: bool) -> Tensor:
        """[B, N + 1], -inf for what the user has met."""
        chosen = tasks.chosen(self.feedback)
        shown = chosen if is_adapted else replace(chosen, support=chosen.support.hidden())
        log_choice: Tensor = self.choice(shown, self._choice_items)
        met = chosen.support
        is_met = torch.zeros_like(log_choice, dtype=torch.bool)
        is_met.scatter_(1, tasks.items[met.rows] * met.mask, value=True)
        return log_choice.masked_fill(is_met, -torch.inf)

    def _scores(self, tasks: Tasks, is_adapted: bool, items: Tensor) -> Iterator[Tensor]:
        """The expected ratings of items [B, C], block by block."""
        learner = self.learner
        if is_adapted:
            state = learner.adapt(tasks, learner.embed(tasks.items))
        else:
            state = learner.unadapted(tasks)
        embedded, statistics = self._catalogue.embedded, self._catalogue.places
        for block in items.split(BLOCK[self.device.type][1], dim=1):
            rows = (block - 1).clamp(min=0)  # whatever item 0 gets, it is no candidate
            counts, deviation = statistics.counts[0], statistics.deviation[0]
            places = ItemPositions(rows=rows, counts=counts[rows], deviation=deviation[rows])
            yield learner.expected(state, learner.predict(state, embedded, places))

    # The catalogue's part of the scores is the same for all users, and computed once.

    @cached_property
    def _choice_items(self) -> Items:
        return self.choice.items()

    @cached_property
    def _catalogue(self) -> Chunk:
        items = torch.arange(1, self.n_items + 1, device=self.device)
        embedded, places = self.learner.embed(items), self.learner.statistics.of_all(items)
        return Chunk(items=items, embedded=embedded, places=places)

    @cached_property
    def _chunks(self) -> list[Chunk]:
        return catalogue_chunks(self.learner, self.n_items, self.device)
