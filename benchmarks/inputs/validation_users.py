"""Training users held back to validate on, as a night has them and a public split does not.

What a night chooses by validation users' lists (docs/adr/0029) is chosen by theirs here. The model
that is then judged trains on everybody.
"""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from benchmarks.inputs import split_tasks
from meta_model.config import Config
from meta_model.data.episodes import Episodes
from meta_model.data.inputs import Inputs
from meta_model.learners import Learner
from meta_model.steps.meta_train import with_choice

log = logging.getLogger("benchmarks.inputs.validation_users")

_EVERY = 10  # one training user of so many
_MOST = 1_000  # users: enough for a difference of a hundredth


def validated(
    learner: Learner, config: Config, inputs: Inputs, device: torch.device, scratch: Path
) -> Config:
    """With the regularisation and the neighbours' weight that users held back prefer."""
    some = held_back(inputs, scratch, config.seed)
    return with_choice(learner, config, some, device, log.info).config


def held_back(inputs: Inputs, scratch: Path, seed: int) -> Inputs:
    """The inputs, some of whose training users are validation users instead.

    Their first task is what they are validated on. Item statistics are of everybody still.
    """
    train = pa.concat_tables(inputs.episodes.split("train").buffers())
    of_tasks = train["user_index"].to_numpy()
    users, first = np.unique(of_tasks, return_index=True)
    drawn = np.random.default_rng(seed).permutation(len(users))
    chosen = drawn[: min(len(users) // _EVERY, _MOST)]
    is_left = pa.array(~np.isin(of_tasks, users[chosen]))
    validation = train.take(np.sort(first[chosen]))
    folder = Path(tempfile.mkdtemp(prefix="held-back-", dir=scratch))
    files = (
        split_tasks.episodes_file(folder, "train", "warm", train.filter(is_left)),
        split_tasks.episodes_file(folder, "validation", "warm", validation),
    )
    return replace(inputs, episodes=Episodes(files=files, is_ordered=inputs.episodes.is_ordered))
