"""Users to make lists for, of a split, of a night or of folds; the published order; figures."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.inputs import (
    held_out_users,
    lake_inputs,
    public_split,
    validation_users,
)
from benchmarks.records import Record
from meta_model.choice.interactions import Interactions
from meta_model.config import Config
from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.segments import Segments, segments
from meta_model.data.tasks import Tasks
from meta_model.device import choose_device
from meta_model.evaluation.bootstrap import Bootstrap
from meta_model.evaluation.lists import ListResult, Ranker, judge
from meta_model.learners import Learner
from meta_model.ranking.recommender import Recommender
from meta_model.steps.meta_train import with_choice
from schemas.tables.products import LIST_METRICS

log = logging.getLogger("benchmarks.inputs.list_trials")

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
        """The test tasks of new users; candidates are items with interactions in training."""
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
    """Those of the spec, or else the values of the users' first feature, or else everyone."""
    if inputs.segments:
        return segments(inputs, Config().products.segment_users)
    if not inputs.users.names:
        everyone = torch.zeros(1, len(inputs.user_profiles) + 1, dtype=torch.int64)
        return Segments(names=("all",), of_users=everyone)
    values = inputs.users.values[:, 0, 0].clamp(min=0)
    names = ("all", *(str(value) for value in range(1, int(values.max()) + 1)))
    of_feature = torch.where(values > 0, values, -1)
    return Segments(names=names, of_users=torch.stack([torch.zeros_like(values), of_feature]))


def published(
    options: argparse.Namespace, config: Config, learner: Learner, inputs: Inputs, scratch: Path
) -> Recommender:
    """What a night would publish: regularisation and weight are those that validation prefers."""
    device = choose_device(options.device)
    config = config.having({"choice.epochs": options.choice_epochs})
    if not inputs.episodes.split("validation").n_tasks:  # what a night has
        config = validation_users.validated(learner, config, inputs, device, scratch)
    return with_choice(learner, config, inputs, device, log.info)


def beside(judged: ListResult, rivals: Mapping[str, ListResult]) -> Iterator[Record]:
    """Each metric of a method's lists, and its difference to the best of the rivals' there."""
    for metric in LIST_METRICS:
        ours = judged.metrics[metric]
        theirs = {name: rival.metrics[metric] for name, rival in rivals.items()}
        best = max(theirs, key=lambda name: float(theirs[name].mean()))
        low, high = Bootstrap(n_users=len(ours)).interval(ours - theirs[best])
        yield {
            "metric": metric,
            "value": round(float(ours.mean()), 4),
            "best_peer": best,
            "low": round(low, 4),
            "high": round(high, 4),
            "n_users": len(judged.users),
        }
