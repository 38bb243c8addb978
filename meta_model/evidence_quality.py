"""What our list is worth beside others of its length, by the simulation of `elicitation`.

`random` is what several lists drawn at random give on average. Differences to popularity are of
the same users' errors, so that their interval is of the paired difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.data.inputs import Inputs
from meta_model.elicitation import Elicited, elicit, interval, joined
from meta_model.evidence import LISTS, order
from meta_model.item_values import ItemValues
from meta_model.learners import Learner

LENGTHS = (5, 10, 20)
RANDOM = "random"
_RANDOM_LISTS = 5


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One list of one length, asked of the same users as the others of that length."""

    name: str
    length: int
    elicited: Elicited
    against: Elicited  # popularity

    @property
    def mae_minus_popularity(self) -> tuple[float, float]:
        """The 95% interval of the mean difference."""
        return interval(self.elicited.mae - self.against.mae)


def judge(
    learner: Learner,
    inputs: Inputs,
    values: ItemValues,
    device: torch.device,
    *,
    min_adapt: int,
    seed: int,
    members: Tensor | None = None,
) -> Iterator[Judged]:
    """Every list in every length; none where no test user is left to ask.

    members: who is asked, by user index [U + 1]; by default everyone
    """
    for length in LENGTHS:
        lists = {name: values.items[order(of(values))[:length]] for name, of in LISTS.items()}
        drawn = _drawn(values, length, seed)
        found = elicit(learner, inputs, lists | drawn, device, min_adapt=min_adapt, members=members)
        if not found:
            return
        found[RANDOM] = joined([found.pop(name) for name in drawn])
        for name, elicited in found.items():
            yield Judged(name=name, length=length, elicited=elicited, against=found["popularity"])


def _drawn(values: ItemValues, length: int, seed: int) -> dict[str, Tensor]:
    draws = torch.Generator().manual_seed(seed)
    size = len(values.items)
    return {
        f"{RANDOM} {number}": values.items[torch.randperm(size, generator=draws)[:length]]
        for number in range(_RANDOM_LISTS)
    }
