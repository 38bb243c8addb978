"""What lists are worth to users who choose new items, and how many places new items get.

    python -m benchmarks.new_items --data DIR --dataset ml-1m --json FILE

A new item is one that no training user chose. The users of `item_cold` and `both_cold`, whose
queries hold new items alone, show their first 1, 5, ... interactions; what they liked of the query
is to be found, among the new items or among all items. `published` is the order that a night
publishes. Two peers know attributes of items: ItemKNN by the cosines of attributes, and the
popularity of items with the same attributes. Among all items stand two more, which put no new
item before one that anybody chose. Users of `user_cold`, whose queries hold no new item, show what
it costs to list all items.

A record holds a metric of a method, and the interval of its difference to the best peer, 95%,
paired over users. `new20`: the share of the places of a list of 20 that new items have.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.inputs.list_trials import DATASETS, SCENARIO, World, beside, published, worlds
from benchmarks.records import Record, write_json
from meta_model.choice.content import popularity_by_content
from meta_model.choice.learners import LEARNERS
from meta_model.choice.training import Training
from meta_model.config import ChoiceConfig, Config
from meta_model.data.batching import DRAWN_TASKS, drawn
from meta_model.evaluation import peers
from meta_model.evaluation.lists import Ranker, judge
from meta_model.evaluation.rankers import Fixed, OfChoices
from meta_model.learners import create
from schemas.run import command_line
from schemas.tables.products import NEW_ITEM_SCENARIOS

PUBLISHED = "published"
_KNOWN = (1, 5, None)
_NEW, _ALL = "new", "all"


def main(arguments: list[str] | None = None) -> int:
    """Write the records of one dataset to `--json`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.new_items", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    parser.add_argument("--dataset", choices=DATASETS, required=True)
    parser.add_argument(
        "--choice-learner", choices=[*LEARNERS], default=ChoiceConfig.learner, help="of choices"
    )
    parser.add_argument("--choice-epochs", type=int, default=Training.epochs, help="of choices")
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    parser.add_argument("--seed", type=int, default=1, help="of training")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.set_defaults(folds=None)  # users choose new items in splits and nights alone
    options = parser.parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure(options)))


def measure(options: argparse.Namespace) -> Iterator[Record]:
    """A record for each scenario, kind of candidates, number known, method and metric."""
    with tempfile.TemporaryDirectory() as scratch:
        [world] = worlds(options, Path(scratch))
        inputs, is_trained = world.inputs, world.candidates
        everything = torch.ones_like(is_trained)
        everything[0] = False  # padding
        config = Config(seed=options.seed).having({"choice.learner": options.choice_learner})
        order = published(options, config, create(config, inputs), inputs, Path(scratch))
        of_content: dict[str, Ranker] = {
            PUBLISHED: order,
            "content_knn": OfChoices(peers.ContentKnn(inputs.items), inputs.feedback),
            "content_popularity": Fixed(
                popularity_by_content(inputs.items, inputs.statistics().counts)
            ),
        }
        of_all = of_content | {
            "popularity": Fixed(world.interactions.counts),
            "item_knn": OfChoices(peers.item_knn(world.interactions), inputs.feedback),
        }
        for scenario in (*NEW_ITEM_SCENARIOS, SCENARIO):
            kinds = {_NEW: (everything & ~is_trained, of_content), _ALL: (everything, of_all)}
            if scenario == SCENARIO:
                del kinds[_NEW]
            test = inputs.episodes.split("test", scenario=scenario)
            users = replace(world, tasks=drawn(test, DRAWN_TASKS, options.seed))
            if not users.tasks:  # a night may have none
                continue
            for kind, (candidates, methods) in kinds.items():
                about = {"dataset": options.dataset, "scenario": scenario, "candidates": kind}
                for record in _records(users, candidates, ~is_trained, methods):
                    yield {**about, **record}


def _records(
    world: World, candidates: Tensor, is_new: Tensor, methods: Mapping[str, Ranker]
) -> Iterator[Record]:
    inputs, tasks = world.inputs, world.tasks
    for known in _KNOWN:
        found = {
            name: judge(ranker, tasks, candidates, known, inputs.liked_from, inputs.feedback)
            for name, ranker in methods.items()
        }
        for name, judged in found.items():
            rivals = {n: each for n, each in found.items() if n not in {name, PUBLISHED}}
            about = {
                "known": "all" if known is None else known,
                "method": name,
                "new20": round(is_new[judged.lists][judged.lists > 0].double().mean().item(), 4),
            }
            yield from ({**about, **each} for each in beside(judged, rivals))


if __name__ == "__main__":
    sys.exit(main())
