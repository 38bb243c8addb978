"""New users to make lists for: of a split, of a night, or every user of a data set in turn."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.inputs import held_out_users, lake_inputs, public_split
from meta_model.choice.interactions import Interactions
from meta_model.config import Config
from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.segments import Segments, segments
from meta_model.data.tasks import Tasks
from meta_model.evaluation.lists import ListResult, Ranker, judge

SCENARIO = "user_cold"
DATASETS = sorted({*public_split.SPLITS, *lake_inputs.NIGHTS})
_BATCH = 256
_QUERY = 10


@dataclass(frozen=True, kw_only=True)
class World:
    """The tasks of new users, and what training knows. candidates: [N + 1]"""

    inputs: Inputs
    tasks: list[Tasks]
    interactions: Interactions
    candidates: Tensor

    @staticmethod
    def of(inputs: Inputs, interactions: Interactions) -> World:
        """The test tasks of `user_cold`; candidates are items with interactions in training."""
        test = inputs.episodes.split("test", scenario=SCENARIO)
        return World(
            inputs=inputs,
            tasks=list(batches(test, _BATCH)),
            interactions=interactions,
            candidates=interactions.counts > 0,
        )

    def judged(self, ranker: Ranker, known: int | None) -> ListResult:
        """Metrics of the ranker's lists if it sees the first `known` interactions (None: all)."""
        liked, feedback = self.inputs.liked_from, self.inputs.feedback
        return judge(ranker, self.tasks, self.candidates, known, liked, feedback)


def worlds(options: argparse.Namespace, scratch: Path) -> Iterator[World]:
    """The trials of the dataset: one of a split or a night, or one for each fold of users."""
    folder = options.data / options.dataset
    if options.folds is not None:
        trials = held_out_users.trials(
            options.data, options.dataset, options.folds, scratch, [options.seed], _QUERY
        )
        for _, inputs in trials:
            yield World.of(inputs, Interactions.of(inputs))
    elif options.dataset in public_split.SPLITS:
        config, split = Config(), public_split.SPLITS[options.dataset]
        inputs = public_split.load(
            folder, split, scratch, windows=config.training.resample, seed=config.seed
        )
        pairs = public_split.train_ratings(folder)
        known, users = torch.tensor(pairs["user_index"].to_numpy()).unique(return_inverse=True)
        interactions = Interactions(
            users=users,
            items=torch.tensor(pairs["item_index"].to_numpy()).long(),
            n_items=len(inputs.item_profiles),
            user_indices=known,
        )
        yield World.of(inputs, interactions)
    else:
        inputs = lake_inputs.prepare(folder, options.dataset, scratch)
        yield World.of(inputs, Interactions.of(inputs))


def trial_segments(inputs: Inputs) -> Segments:
    """Those of the spec, or else the values of the users' first feature."""
    if inputs.segments:
        return segments(inputs, Config().products.segment_users)
    values = inputs.users.values[:, 0, 0].clamp(min=0)
    names = ("all", *(str(value) for value in range(1, int(values.max()) + 1)))
    of_feature = torch.where(values > 0, values, -1)
    return Segments(names=names, of_users=torch.stack([torch.zeros_like(values), of_feature]))
