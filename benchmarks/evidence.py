"""Which list of items tells most of a new user: an elicitation simulation on public data.

    python -m benchmarks.evidence --data DIR --dataset ml-1m --json FILE
    python -m benchmarks.evidence --data DIR --dataset ml-100k --folds 3 --repeats 5 --json FILE

A learner of ratings and the model of choices are trained on `train`, as a night trains them:
regularisation and neighbours' weight are those that some training users of the first trial prefer
(inputs/validation_users.py). Lists are made of what the models and `train` say; each user of
`user_cold` reveals their ratings of the items of a list, the learner predicts the rest, and the
model of choices recommends (meta_model/evidence/elicitation.py). With `--folds`, each of so many
parts of the users is new in its turn, to models and lists of all others (inputs/held_out_users.py).
With `--repeats`, all of that is done so often, and a user's figure is the mean: what is chance in
training and in the partition of users is averaged out of the differences, and who the users are is
left. `random` is the mean of five lists. The intervals are of the mean difference per user, 95%, by
a paired bootstrap: a list beats another where that of MAE lies below 0, and where that of nDCG lies
above.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from benchmarks.inputs import new_users
from benchmarks.inputs.validation_users import validated
from benchmarks.records import Record, write_json
from benchmarks.yardsticks.designs import designs
from meta_model.config import ChoiceConfig, Config
from meta_model.data.inputs import Inputs
from meta_model.data.segments import ALL
from meta_model.device import choose_device
from meta_model.evaluation.bootstrap import Bootstrap
from meta_model.evidence.elicitation import merged_by_user
from meta_model.evidence.item_scores import item_scores
from meta_model.evidence.quality import PUBLISHED, EvidenceResult, judge
from meta_model.evidence.segment_lists import segment_lists
from meta_model.ranking.recommender import Recommender
from meta_model.steps.meta_train import with_choice
from meta_model.training.meta_train import TrainingCallbacks, meta_train
from schemas.errors import UserError
from schemas.run import command_line
from schemas.run.artefact import Epoch
from schemas.run.learners import DEFAULT, known

log = logging.getLogger("benchmarks.evidence")

_ANSWERS = (0, 1, 3, 6)  # users are also judged apart by how many of our items they know
_MEANS = ("mae", "rmse", "ndcg5", "ndcg10_after", "recall20_after")


def main(arguments: list[str] | None = None) -> int:
    """Write the records of every list and length to `--json`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    new_users.add_arguments(parser)
    parser.add_argument(
        "--repeats", type=int, default=1, help="train and ask so often, with one seed after another"
    )
    parser.add_argument("--learner", choices=known(), default=DEFAULT)
    parser.add_argument("--epochs", type=int, help="of the learner, instead of the config's")
    options = parser.parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure(options)))


def measure(options: argparse.Namespace) -> Iterator[Record]:
    """A record for each list and length, over all trials; raises `UserError` without repeats."""
    if options.repeats < 1:
        raise UserError(f"--repeats is {options.repeats}; expected 1 or more.")
    device = choose_device("auto")
    found: dict[tuple[int, str], list[EvidenceResult]] = {}
    switches = {"training.epochs": options.epochs} if options.epochs else {}
    switches |= {"choice.epochs": options.choice_epochs}
    config = Config(model=options.learner, seed=options.seed).having(switches)
    choice: ChoiceConfig | None = None
    with tempfile.TemporaryDirectory() as scratch:
        trials = new_users.trials(options, config, Path(scratch), options.repeats)
        for of_trial, inputs in trials:
            callbacks = TrainingCallbacks(on_epoch=_log_epoch)
            learner = meta_train(inputs, of_trial, device, callbacks).learner
            if choice is None:
                choice = validated(learner, of_trial, inputs, device, Path(scratch)).choice
            of_trial = replace(of_trial, choice=choice)
            recommender = with_choice(learner, of_trial, inputs, device, log.info)
            for each in judged(recommender, inputs):
                # A trial may have nobody left to ask about a long list.
                found.setdefault((each.length, each.name), []).append(each)
    of_all = sorted(map(_joined, found.values()), key=lambda each: each.length)
    for _, of_length in groupby(of_all, key=lambda each: each.length):
        yield from _records(options, list(of_length))


def judged(recommender: Recommender, inputs: Inputs) -> Iterator[EvidenceResult]:
    """Our list and all others of one trial, by its trained models, asked of its new users."""
    choice, learner, config = recommender.choice, recommender.learner, recommender.config
    chosen = segment_lists(choice, replace(inputs, segments=()), config, tell=log.info)[ALL]
    yield from judge(
        learner,
        recommender,
        inputs,
        item_scores(learner, inputs, recommender.device)[ALL],
        chosen.items,
        recommender.device,
        min_adapt=config.products.min_adapt,
        answer_rates=chosen.members.answer_rates,
        seed=config.seed,
        others=designs(choice, chosen.members, len(chosen.items)),
    )


def _joined(of_list: Sequence[EvidenceResult]) -> EvidenceResult:
    """One list of one length, asked of the users of all trials; each user counts once."""
    return replace(
        of_list[0],
        elicited=merged_by_user([each.elicited for each in of_list]),
        popularity=merged_by_user([each.popularity for each in of_list]),
        nothing=merged_by_user([each.nothing for each in of_list]),
    )


def _log_epoch(epoch: Epoch, _: float) -> None:
    log.info("epoch %d: loss %.4f", epoch.epoch, epoch.train_loss)


def _records(options: argparse.Namespace, results: list[EvidenceResult]) -> Iterator[Record]:
    """Of the lists of one length."""
    by_name = {each.name: each.elicited for each in results}
    for each in results:
        elicited = each.elicited
        record: dict[str, Any] = {
            "dataset": options.dataset,
            "new_users": new_users.named(options),
            "repeats": options.repeats,
            "learner": options.learner,
            "list": each.name,
            "length": each.length,
            "n_users": len(elicited.mae),
            "n_revealed_mean": round(elicited.n_revealed.mean().item(), 2),
            **{name: round(getattr(elicited, name).mean().item(), 4) for name in _MEANS},
        }
        differences = {
            f"{metric}_minus_{other}": getattr(elicited, metric) - getattr(by_name[other], metric)
            for other in ("popularity", "nothing", "random")
            for metric in _MEANS
        }
        ends = Bootstrap(n_users=len(elicited.users)).intervals(list(differences.values()))
        for name, (low, high) in zip(differences, ends, strict=True):
            record[f"{name}_low"], record[f"{name}_high"] = round(low, 4), round(high, 4)
        if each.name == PUBLISHED:
            record["by_answers"] = list(_by_answers(each))
        log.info("%s", record)
        yield record


def _by_answers(result: EvidenceResult) -> Iterator[Record]:
    """nDCG@10 after a list, after popularity's and after nothing, by what users knew of the list.

    low, high: the interval of the difference from popularity's list; of two users or more
    """
    name = "ndcg10_after"
    group = torch.bucketize(result.elicited.n_revealed, torch.tensor(_ANSWERS[1:]), right=True)
    for number, (first, after) in enumerate(zip(_ANSWERS, (*_ANSWERS[1:], None), strict=True)):
        is_member = group == number
        own, popularity, nothing = (
            getattr(each, name)[is_member]
            for each in (result.elicited, result.popularity, result.nothing)
        )
        if len(own) < 2:
            continue
        low, high = Bootstrap(n_users=len(own)).interval(own - popularity)
        yield {
            "answers_from": first,
            "answers_below": after,
            "n_users": len(own),
            name: round(own.mean().item(), 4),
            "after_popularity": round(popularity.mean().item(), 4),
            "after_nothing": round(nothing.mean().item(), 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }


if __name__ == "__main__":
    sys.exit(main())
