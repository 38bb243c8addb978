"""A training step asks a GPU for nothing: to ask is to wait for all that it still has to do.

Counted here are operations whose result, or whose size, is known to the host alone after they ran;
the CPU stands for a device that works ahead. A GPU can be waited for in more ways, by a copy for
instance: `python -m benchmarks.gpu` counts those on a GPU.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from meta_model import device
from meta_model.choice.learners import LEARNERS as CHOICE_LEARNERS
from meta_model.choice.loss import loss_of
from meta_model.choice.sampling import Sampling
from meta_model.choice.training import split
from meta_model.config import ChoiceLearner, Config
from meta_model.data.inputs import Inputs
from meta_model.data.resampling import Resplit
from meta_model.data.resident import TrainingRows
from meta_model.data.tasks import Tasks
from meta_model.learners import LEARNERS, create
from meta_model.training.global_update import Progress, global_update, optimizer_of

CPU = torch.device("cpu")
_ASKING = {
    *("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_dim", "equal"),
    "_linalg_check_errors",
}
# MAML adapts the rows of the values that a batch has, and MetaHIN looks up the neighbours it has:
# how many there are is asked. To provide for the most there can be takes several times the work.
ASKED = {"maml": {"nonzero": 6}, "metahin": {"nonzero": 3}}
# Of a model of choices, besides its loss: matching takes each item of the supports once.
ASKED_OF_CHOICES = {"matching": {"_unique2": 1}}


class _Asked(TorchDispatchMode):
    """Counts the operations by name; an index by a mask asks how many are in it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = function.overloadpacket.__name__
        by_mask = name in ("index", "index_put", "index_put_", "_index_put_impl_") and any(
            index is not None and index.dtype == torch.bool for index in args[1]
        )
        if name in _ASKING or by_mask:
            self.found[name] += 1
        return function(*args, **(kwargs or {}))


@pytest.fixture
def batches(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> list[Tasks]:
    """Two resplit batches, as a device that works ahead has them, made under the same count."""
    monkeypatch.setattr(device, "works_ahead", lambda _: True)
    rows = TrainingRows(inputs.episodes.split("train"), CPU, 1 << 20)
    resplit = Resplit(query_size=4, min_support=1, short_share=0.5, empty_share=0.2)
    with _Asked() as asked:
        made = list(rows.batches(12, np.random.default_rng(1), resplit))
    assert not asked.found
    return made


@pytest.mark.parametrize("model", sorted(LEARNERS))
def test_a_step_asks_for_nothing(
    batches: list[Tasks], inputs: Inputs, config: Config, model: str
) -> None:
    torch.manual_seed(1)
    learner = create(replace(config, model=model), inputs)
    optimizer = optimizer_of(learner, config, CPU)
    with _Asked() as asked:
        at = Progress(epoch=1, step=0, share=0.5)
        loss, n_tasks = global_update(learner, optimizer, [(0, batches[0])], config, at)
    assert asked.found == ASKED.get(model, {})
    assert n_tasks == 12
    assert loss.isfinite()


@pytest.mark.parametrize(("n_items", "asked_by_sampling"), [(100, {}), (20, {"nonzero": 1})])
@pytest.mark.parametrize("model", sorted(CHOICE_LEARNERS))
def test_a_step_of_choices_asks_for_no_more_than_it_says(
    batches: list[Tasks],
    inputs: Inputs,
    model: ChoiceLearner,
    n_items: int,
    asked_by_sampling: dict[str, int],
) -> None:
    """Decision 22 names what is asked: sampling asks how many items of a catalogue are drawn."""
    learner = CHOICE_LEARNERS[model](inputs, 4, 0.2, 0.1)
    sampling = Sampling.of(inputs.statistics().counts, n_items)
    generator = torch.Generator().manual_seed(1)
    with _Asked() as asked:
        shown = split(batches[0].whole(), 0.05, generator, 4)
        items, tasks = sampling.drawn(learner.items(), shown)
        loss_of(partial(learner, items=items), tasks, inputs.liked_from).backward()
    assert asked.found == ASKED_OF_CHOICES.get(model, {}) | asked_by_sampling


def test_what_asks_is_counted() -> None:
    with _Asked() as asked:
        x = torch.arange(3.0)
        x[x > 1].sum().item()
        x[x > 1] = 0
        torch.linalg.cholesky(torch.eye(2))
    expected = {"index": 1, "_local_scalar_dense": 1, "index_put_": 1, "_linalg_check_errors": 1}
    assert asked.found == expected
