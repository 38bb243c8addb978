"""What the lists of several nights are worth, the users of all nights taken together.

    python -m benchmarks.nights --data DIR --json FILE [--dataset ml-100k] [--days 1997-11-30,...]

A night of MovieLens-100K has some fifty existing users who come back: too few to tell one method
from another, or whether `p_like` is what it says. The night's own steps make the features of each
day, in one lake; a model is trained for each day as `meta_train` trains it. Its lists are judged as
`evaluate` judges them, beside those of the same peers, and its evidence as `select_evidence` does.

A record holds a metric of a method with its 95% interval, and by how much the published lists are
ahead (`lead_low`, `lead_high`), paired over users; a user of two nights counts as two. Of
`published` there are also the mean of `p_like` of its listed items, the share of them that was
liked, and the expected calibration error between the two; and the share of ratings that the 80%
intervals of scores hold. Records of a `list` say what asking new users about it is worth
(`nights.evidence`). Implicit feedback has no ratings, and so neither of the two.

Shapes: R listed items.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.evidence import judged as judged_evidence
from benchmarks.inputs import lake_inputs
from benchmarks.nights import evidence
from benchmarks.records import Record, write_json
from meta_model.choice.training import Training
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.ragged import CPU
from meta_model.device import choose_device
from meta_model.evaluation.bootstrap import Bootstrap
from meta_model.evaluation.list_calibration import (
    expected_error,
    outcomes,
    tasks_of,
    within_intervals,
)
from meta_model.evaluation.list_methods import methods
from meta_model.evaluation.list_quality import judged
from meta_model.evaluation.lists import ListResult
from meta_model.evidence.elicitation import ElicitationResult
from meta_model.ranking.calibrating import calibrated
from meta_model.ranking.recommender import Recommender
from meta_model.steps.meta_train import with_choice
from meta_model.training.meta_train import meta_train
from schemas.run import command_line
from schemas.tables.metrics import NDCG10
from schemas.tables.products import LIST_SCENARIOS

log = logging.getLogger("benchmarks.nights")

DAYS: Mapping[str, str] = {
    "ml-100k": "1997-11-30,1997-12-31,1998-01-31,1998-02-28,1998-03-31",
    "toys": "2020-02-29,2020-08-31",
}
PUBLISHED = "published"
_METRICS = (NDCG10.name, "recall20")
_LEFT_OUT = ("by_choice", "by_rating", "item_mean", "without_trend")


def main(arguments: list[str] | None = None) -> int:
    """Write the records of all `--days` to `--json`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nights", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    parser.add_argument("--dataset", choices=[*DAYS], default="ml-100k")
    parser.add_argument("--days", help="the nights, by commas (default: those of the page)")
    parser.add_argument("--choice-epochs", type=int, default=Training.epochs, help="of choices")
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    parser.add_argument("--seed", type=int, default=Config.seed, help="of training")
    options = parser.parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure(options)))


def measure(options: argparse.Namespace) -> Iterator[Record]:
    """A record for each scenario, number known, method and metric, and for each list to ask."""
    choose_device("cpu")
    days = [date.fromisoformat(day) for day in (options.days or DAYS[options.dataset]).split(",")]
    values: dict[tuple[str, str], dict[str, list[Tensor]]] = defaultdict(lambda: defaultdict(list))
    listed: dict[str, list[tuple[Tensor, Tensor]]] = defaultdict(list)
    within: dict[str, list[Tensor]] = defaultdict(list)
    asked: dict[tuple[int, str], list[ElicitationResult]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as home:
        for ds in days:
            folder = options.data / options.dataset
            inputs = lake_inputs.prepare(folder, options.dataset, Path(home), ds)
            recommender = _trained(options, inputs)
            compared = methods(recommender, inputs, None, log.info)
            rankers = {name: each for name, each in compared.items() if name not in _LEFT_OUT}
            for scenario in LIST_SCENARIOS:
                of_scenario = judged(rankers, recommender, inputs, scenario)
                for known, method, metric, of_users in _of_users(of_scenario, recommender):
                    values[scenario, known][f"{method} {metric}"].append(of_users)
                if tasks := tasks_of(recommender, inputs, scenario):
                    listed[scenario].append(outcomes(recommender, tasks, inputs, scenario))
                    within[scenario].append(within_intervals(recommender, tasks, inputs, scenario))
            if inputs.is_implicit:  # its users have no rating to answer with
                continue
            for each in judged_evidence(recommender, inputs):
                asked[each.length, each.name].append(each.elicited)
    about = {"dataset": options.dataset, "nights": len(days)}
    for (scenario, known), of_methods in values.items():
        for record in _of_lists({name: torch.cat(each) for name, each in of_methods.items()}):
            yield {**about, "scenario": scenario, "known": known, **record}
    for scenario, found in listed.items():
        p_like, liked = (torch.cat(parts) for parts in zip(*found, strict=True))
        for metric, value in _of_p_like(p_like, liked, torch.cat(within[scenario])):
            yield {**about, "scenario": scenario, "method": PUBLISHED, **_rounded(metric, value)}
    for record in evidence.records(asked):
        yield {**about, **record}


def _trained(options: argparse.Namespace, inputs: Inputs) -> Recommender:
    """As a night's."""
    config = Config(seed=options.seed).having({"choice.epochs": options.choice_epochs})
    learner = meta_train(inputs, config, CPU).learner
    recommender = with_choice(learner, config, inputs, CPU, log.info)
    return calibrated(recommender, inputs)


def _of_users(
    lists: Mapping[str, Mapping[str, ListResult]], recommender: Recommender
) -> Iterator[tuple[str, str, str, Tensor]]:
    """Number known, method, metric and the metric of each user, in one order of users."""
    for name, by_known in lists.items():
        method = PUBLISHED if name == recommender.config.model else name
        for known, found in by_known.items():
            for metric in _METRICS:
                yield known, method, metric, found.metrics[metric]


def _of_lists(values: Mapping[str, Tensor]) -> Iterator[Record]:
    """values: `method metric` and the users' values"""
    for name, of_users in values.items():
        method, metric = name.split()
        bootstrap = Bootstrap(n_users=len(of_users))
        low, high = bootstrap.interval(of_users)
        about = {"method": method, "n_users": len(of_users), "low": round(low, 4)}
        about |= {**_rounded(metric, of_users.mean().item()), "high": round(high, 4)}
        if method != PUBLISHED:
            low, high = bootstrap.interval(values[f"{PUBLISHED} {metric}"] - of_users)
            about |= {"lead_low": round(low, 4), "lead_high": round(high, 4)}
        yield about


def _of_p_like(p_like: Tensor, liked: Tensor, within: Tensor) -> Iterator[tuple[str, float]]:
    yield "mean_p_like", p_like.mean().item()
    yield "liked", liked.mean().item()
    yield "ece", expected_error(p_like, liked)
    if len(within):  # there are none where validation had too few ratings
        yield "coverage", within.double().mean().item()


def _rounded(metric: str, value: float) -> Record:
    return {"metric": metric, "value": round(value, 4)}


if __name__ == "__main__":
    sys.exit(main())
