"""What lists of the whole catalogue are worth to new users, beside peers that know no learner.

    python -m benchmarks.lists --data DIR --dataset ml-1m --peers PYTHON --json FILE
    python -m benchmarks.lists --data DIR --dataset ml-100k --folds 3 --json FILE

The protocol of meta_model/evaluation/lists.py: the test users of `user_cold` show their first 0, 1,
2, ... interactions, and every method ranks the items that `train` knows, less their whole support.
With --folds, each of so many parts of the users is new in its turn, and ten of their ratings, drawn
at random, are to be found. Learners of ratings are in the order of expected ratings. `published` is
the order that a night publishes: a learner of choices with its neighbours; `without_neighbours` is
the learner alone, and `unadapted` the published order as if nothing were known of the user.

A record holds a metric of a method, and the interval of its difference to the best peer, 95%,
paired over users. Regularisation and the neighbours' weight are chosen as a night chooses them, by
the lists of training users who are held back for that. A peer blended with popularity has the
weight that is best for it on the very users that it is judged by: a bound from above. With --peers,
the Python of an environment that holds benchmarks/peers/requirements.txt, LensKit and implicit rank
for the same users by their own code.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import torch

from benchmarks.inputs.list_trials import (
    DATASETS,
    SCENARIO,
    World,
    beside,
    published,
    trial_segments,
    worlds,
)
from benchmarks.records import Record, write_json
from benchmarks.yardsticks import external_lists
from meta_model.choice.learners import LEARNERS
from meta_model.choice.training import Training
from meta_model.config import ChoiceConfig, Config
from meta_model.data.inputs import Inputs
from meta_model.device import choose_device
from meta_model.evaluation import peers
from meta_model.evaluation.lists import KNOWN, ListResult, Ranker, of_all
from meta_model.evaluation.rankers import ByRating, Fixed, OfChoices, Unadapted
from meta_model.learners import create
from meta_model.training.meta_train import meta_train
from schemas.run import command_line
from schemas.run.learners import DEFAULT
from schemas.run.learners import known as known_learners
from schemas.tables.products import LIST_METRICS

log = logging.getLogger("benchmarks.lists")

PEER, OURS = "peer", "ours"
PUBLISHED = "published"
OF_CHOICES = ("unadapted", "without_neighbours", PUBLISHED)
NONE = "none"  # the order that is published needs no learner of ratings
_BLENDS = (0.25, 0.5, 1.0, 2.0)
_EASE_AGAIN = 10_000  # items: of more a second matrix of items by items would take minutes
Found = dict[tuple[str, int | None], ListResult]  # of a method and a number of known interactions


def main(arguments: list[str] | None = None) -> int:
    """Write the records of one dataset to `--json`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lists", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    parser.add_argument("--dataset", choices=DATASETS, required=True)
    parser.add_argument("--folds", type=int, help="hold out users in so many parts, 2 or more")
    parser.add_argument(
        "--learner", choices=(*known_learners(), NONE), default="melu", help="of ratings"
    )
    parser.add_argument(
        "--choice-learner", choices=[*LEARNERS], default=ChoiceConfig.learner, help="of choices"
    )
    parser.add_argument("--choice-epochs", type=int, default=Training.epochs, help="of choices")
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    parser.add_argument("--peers", type=Path, help="the Python that has LensKit and implicit")
    parser.add_argument("--epochs", type=int, help="instead of the config's")
    parser.add_argument("--seed", type=int, default=1, help="of training and of folds")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    options = parser.parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure(options)))


def measure(options: argparse.Namespace) -> Iterator[Record]:
    """A record for each method, number of known interactions and metric, over all trials."""
    trials: list[tuple[World, Found]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, world in enumerate(worlds(options, Path(scratch))):
            found = _peers(world)
            if options.peers:
                folder = Path(scratch) / f"peers-{number}"
                folder.mkdir()
                found |= _external(options.peers, world, folder)
            for name, ranker in _ours(options, world.inputs, Path(scratch)).items():
                found |= {(name, known): world.judged(ranker, known) for known in KNOWN}
            trials.append((world, found))
    joined = {key: _joined([found[key] for _, found in trials]) for key in trials[0][1]}
    ours = {options.learner, *OF_CHOICES}
    for (name, known), judged in joined.items():
        about = {
            "dataset": options.dataset,
            "scenario": SCENARIO if options.folds is None else f"{options.folds} folds",
            "known": "all" if known is None else known,
            "method": name,
            "variant": OURS if name in ours else PEER,
        }
        rivals = {n: j for (n, k), j in joined.items() if k == known and n not in {*ours, name}}
        together = _together([(world, found[name, known]) for world, found in trials])
        for record in beside(judged, rivals):
            yield {**about, **record, **together}


def _peers(world: World) -> Found:
    """What the same interactions give without a learner. Of nobody three of them know anything."""
    inputs, interactions = world.inputs, world.interactions
    statistics, counts = inputs.statistics(), interactions.counts
    means = (statistics.sums / statistics.counts.clamp(min=1)).double()
    fixed: dict[str, Ranker] = {
        "popularity": Fixed(counts),
        "segment_popularity": peers.SegmentPopularity(interactions, trial_segments(inputs)),
    }
    if inputs.feedback == "explicit":
        fixed["item_mean"] = Fixed(means)
    found = {(name, k): world.judged(ranker, k) for name, ranker in fixed.items() for k in KNOWN}
    fits = dict(peers.ADAPTED)
    if len(inputs.item_profiles) <= _EASE_AGAIN:
        fits["ease_500"] = partial(peers.ease, regularization=500.0)
    for name, fit in fits.items():
        ranker = OfChoices(fit(interactions), inputs.feedback)
        adapted: dict[str, Ranker] = {name: ranker}
        adapted |= {f"{name}+{w}pop": peers.Blended(ranker, counts, w) for w in _BLENDS}
        for method, each in adapted.items():
            found |= {(method, k): world.judged(each, k) for k in KNOWN if k != 0}
    return found


def _external(python: Path, world: World, scratch: Path) -> Found:
    given = external_lists.rankers(
        python, world.interactions, world.tasks, world.inputs.feedback, scratch
    )
    return {(name, k): world.judged(ranker, k) for name, k, ranker in given}


def _ours(options: argparse.Namespace, inputs: Inputs, scratch: Path) -> Mapping[str, Ranker]:
    """A learner of ratings by the expected rating, the model of choices, and what is published."""
    device = choose_device(options.device)
    is_trained = options.learner != NONE
    config = Config(model=options.learner if is_trained else DEFAULT, seed=options.seed)
    config = config.having({"choice.learner": options.choice_learner})
    if options.epochs is not None:
        config = config.having({"training.epochs": options.epochs})
    started = time.monotonic()
    learner = meta_train(inputs, config, device).learner if is_trained else create(config, inputs)
    log.info("%s trained in %.0f s", options.learner, time.monotonic() - started)
    by_rating: dict[str, Ranker] = {}
    if is_trained:
        by_rating[config.model] = ByRating(learner, len(inputs.item_profiles), device)

    order = published(options, config, learner, inputs, scratch)
    return by_rating | {
        "unadapted": Unadapted(order),
        "without_neighbours": order.having({"choice.neighbour_weight": 0.0}),
        PUBLISHED: order,
    }


def _joined(parts: list[ListResult]) -> ListResult:
    """The lists of all trials; each user is new in one of them."""
    return ListResult(
        users=torch.cat([part.users for part in parts]),
        lists=torch.cat([part.lists for part in parts]),
        metrics={name: torch.cat([part.metrics[name] for part in parts]) for name in LIST_METRICS},
    )


def _together(trials: list[tuple[World, ListResult]]) -> dict[str, float]:
    """What all lists of a trial together are, the mean over trials: each has a model of its own."""
    found = [
        dict(of_all(judged, world.candidates, world.interactions.counts))
        for world, judged in trials
    ]
    return {name: round(sum(each[name] for each in found) / len(found), 4) for name in found[0]}


if __name__ == "__main__":
    sys.exit(main())
