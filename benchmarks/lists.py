"""What lists of the whole catalogue are worth to users hardly known, beside other methods' lists.

    python -m benchmarks.lists --data DIR --dataset ml-1m --json FILE [--peers PYTHON]

A model is trained on `train` alone. Each test user shows the first k items of their support; every
method ranks the items that training knows, less the user's whole support; what the user rated 4 or
5 in the query is relevant. The interval is that of the mean difference to the best peer, 95%,
paired over users. With --peers, the Python of an environment that holds
benchmarks/peers/requirements.txt, LensKit and implicit rank for the same users by their own code.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.inputs import public_split
from benchmarks.records import Record, write_json
from benchmarks.yardsticks import external_lists
from meta_model.choice.training import Training, train
from meta_model.config import Config
from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.device import choose_device
from meta_model.evaluation import peers
from meta_model.evaluation.bootstrap import Bootstrap
from meta_model.evaluation.lists import KNOWN, Judged, Ranker, judge, of_all
from meta_model.evaluation.rankers import ByChoice, ByRating, Fixed
from meta_model.training.meta_train import meta_train
from schemas.run import command_line
from schemas.run.learners import known as known_learners
from schemas.tables.products import LIST_METRICS

log = logging.getLogger("benchmarks.lists")

LIKED = 4.0
SCENARIO = "user_cold"
PEER, BY_RATING = "peer", "by rating"
CHOICE = "ridge"
_ORDERS = {CHOICE: "by choice"}
_BATCH = 256
Found = dict[tuple[str, int | None], Judged]  # of a method and a number of known interactions


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lists", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="the folder of the splits")
    parser.add_argument("--dataset", choices=sorted(public_split.SPLITS), required=True)
    parser.add_argument("--learner", choices=known_learners(), default="melu", help="of ratings")
    parser.add_argument("--choice-epochs", type=int, default=Training.epochs, help="of ridge")
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    parser.add_argument("--peers", type=Path, help="the Python that has LensKit and implicit")
    parser.add_argument("--epochs", type=int, help="instead of the config's")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    options = parser.parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure(options)))


def measure(options: argparse.Namespace) -> Iterator[Record]:
    with tempfile.TemporaryDirectory() as scratch:
        config = Config()
        folder = options.data / options.dataset
        split = public_split.SPLITS[options.dataset]
        inputs = public_split.load(
            folder, split, Path(scratch), windows=config.recut, seed=config.seed
        )
        world = World.of(inputs, folder)
        peers_found = _peers(world)
        if options.peers:
            given = external_lists.rankers(
                options.peers, world.interactions, world.tasks, Path(scratch)
            )
            peers_found |= {(name, k): _judged(ranker, world, k) for name, k, ranker in given}
        ours = {
            (name, known): _judged(ranker, world, known)
            for name, ranker in _learners(options, inputs).items()
            for known in KNOWN
        }
        for (name, known), judged in {**peers_found, **ours}.items():
            about = {
                "dataset": options.dataset,
                "scenario": SCENARIO,
                "known": "all" if known is None else known,
                "method": name,
                "variant": PEER if (name, known) in peers_found else _ORDERS.get(name, BY_RATING),
            }
            rivals = {n: peer for (n, k), peer in peers_found.items() if k == known and n != name}
            for record in _records(judged, world, rivals):
                yield {**about, **record}


@dataclass(frozen=True, kw_only=True)
class World:
    """The tasks of new users, and what training knows. candidates, means: [N + 1]"""

    tasks: list[Tasks]
    interactions: peers.Interactions
    candidates: Tensor
    means: Tensor

    @staticmethod
    def of(inputs: Inputs, folder: Path) -> World:
        train = public_split.train_ratings(folder)
        _, users = torch.tensor(train["user_index"].to_numpy()).unique(return_inverse=True)
        interactions = peers.Interactions(
            users=users,
            items=torch.tensor(train["item_index"].to_numpy()).long(),
            n_items=len(inputs.item_profiles),
        )
        statistics = inputs.statistics()
        return World(
            tasks=list(batches(inputs.episodes.split("test", scenario=SCENARIO), _BATCH)),
            interactions=interactions,
            candidates=interactions.counts > 0,
            means=(statistics.sums / statistics.counts.clamp(min=1)).double(),
        )


def _judged(ranker: Ranker, world: World, known: int | None) -> Judged:
    return judge(ranker, world.tasks, world.candidates, known, LIKED)


def _peers(world: World) -> Found:
    """What the same interactions give without a learner. Of nobody two of them know anything."""
    counts = world.interactions.counts
    fixed = {"popularity": Fixed(counts), "item_mean": Fixed(world.means)}
    found = {(name, k): _judged(ranker, world, k) for name, ranker in fixed.items() for k in KNOWN}
    adapted = {"item_knn": peers.item_knn, "ease": peers.ease}
    for name, fit in adapted.items():
        ranker = fit(world.interactions)
        found |= {(name, k): _judged(ranker, world, k) for k in KNOWN if k != 0}
    return found


def _learners(options: argparse.Namespace, inputs: Inputs) -> Mapping[str, Ranker]:
    """A learner of ratings, by the expected rating, and one of choices."""
    device = choose_device(options.device)
    config = Config(model=options.learner)
    if options.epochs is not None:
        config = replace(config, epochs=options.epochs)
    started = time.monotonic()
    learner = meta_train(inputs, config, device).learner
    log.info("%s trained in %.0f s", options.learner, time.monotonic() - started)
    started = time.monotonic()
    choice = train(
        inputs,
        Training(epochs=options.choice_epochs),
        lambda epoch, loss: log.info("%s epoch %d: loss %.4f", CHOICE, epoch, loss),
    )
    log.info("%s trained in %.0f s", CHOICE, time.monotonic() - started)
    return {
        options.learner: ByRating(learner, len(inputs.item_profiles), device),
        CHOICE: ByChoice(choice),
    }


def _records(judged: Judged, world: World, rivals: Mapping[str, Judged]) -> Iterator[Record]:
    together = dict(of_all(judged, world.candidates, world.interactions.counts))
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
            **{name: round(value, 4) for name, value in together.items()},
        }


if __name__ == "__main__":
    sys.exit(main())
