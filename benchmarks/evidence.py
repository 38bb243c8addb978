"""Which list of items tells most of a new user: an elicitation simulation on public data.

    python -m benchmarks.evidence --data DIR --dataset ml-1m --json FILE
    python -m benchmarks.evidence --data DIR --dataset ml-100k --folds 3 --repeats 5 --json FILE

A model is trained on `train`; lists are made of what it and `train` say; each user of `user_cold`
reveals their ratings of the items of a list, and the model predicts the rest
(meta_model/elicitation.py). With `--folds`, each of so many parts of the users is new in its turn,
to a model and lists of all others (benchmarks/held_out_users.py). With `--repeats`, all of that is
done so often, and a user's error is the mean: what is chance in training and in who trained with
whom is averaged out of the differences, and who the users are is left. `random` is the mean of five
lists. The intervals are of the mean difference per user, 95%, by a paired bootstrap: where it lies
below 0, the list beats the other in MAE, and where it lies above, in nDCG.
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

from benchmarks import held_out_users, public_split
from benchmarks.records import Record, write_json
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.device import choose_device
from meta_model.elicitation import interval, joined
from meta_model.evidence_quality import Judged, judge
from meta_model.item_values import item_values
from meta_model.segments import ALL
from meta_model.training.checkpoint import Epoch
from meta_model.training.meta_train import Watch, meta_train
from schemas import command_line
from schemas.errors import UserError
from schemas.learners import known

log = logging.getLogger("benchmarks.evidence")

DATASETS = sorted([*public_split.SPLITS, "ml-100k"])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="the folder of the splits")
    parser.add_argument("--dataset", choices=DATASETS, required=True)
    parser.add_argument("--folds", type=int, help="hold out users in so many parts, 2 or more")
    parser.add_argument(
        "--repeats", type=int, default=1, help="train and ask so often, with one seed after another"
    )
    parser.add_argument("--learner", choices=known(), default="melu")
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    parser.add_argument("--epochs", type=int, help="instead of the config's")
    parser.add_argument("--seed", type=int, default=1, help="of training, folds and random lists")
    options = parser.parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure(options)))


def measure(options: argparse.Namespace) -> Iterator[Record]:
    if options.repeats < 1:
        raise UserError(f"--repeats is {options.repeats}; expected 1 or more.")
    device = choose_device("auto")
    found: dict[tuple[int, str], list[Judged]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for config, inputs in _trials(options, Path(scratch)):
            learner = meta_train(inputs, config, device, Watch(on_epoch=_log_epoch)).learner
            values = item_values(learner, inputs, device)[ALL]
            for judged in judge(
                learner, inputs, values, device, min_adapt=config.min_adapt, seed=config.seed
            ):
                # A trial may have nobody left to ask about a long list.
                found.setdefault((judged.length, judged.name), []).append(judged)
    of_all = sorted(map(_joined, found.values()), key=lambda each: each.length)
    for _, of_length in groupby(of_all, key=lambda each: each.length):
        yield from _records(options, list(of_length))


def _trials(options: argparse.Namespace, scratch: Path) -> Iterator[tuple[Config, Inputs]]:
    data, dataset, folds = options.data, options.dataset, options.folds
    switches = {"epochs": options.epochs} if options.epochs else {}
    config = Config(model=options.learner, seed=options.seed, **switches)
    seeds = range(options.seed, options.seed + options.repeats)
    if folds is not None and folds >= 2:
        for seed, inputs in held_out_users.trials(data, dataset, folds, scratch, seeds):
            yield replace(config, seed=seed), inputs
        return
    if folds is not None or dataset not in public_split.SPLITS:
        raise UserError(
            f"--folds is {folds}; expected 2 or more, or a data set with a split "
            f"({', '.join(sorted(public_split.SPLITS))}) and no --folds."
        )
    for seed in seeds:
        split, folder = public_split.SPLITS[dataset], scratch / str(seed)
        folder.mkdir()
        windows = config.recut
        inputs = public_split.load(data / dataset, split, folder, windows=windows, seed=seed)
        yield replace(config, seed=seed), inputs


def _joined(of_list: Sequence[Judged]) -> Judged:
    """One list of one length, asked of the users of all trials; each user counts once."""
    return replace(
        of_list[0],
        elicited=joined([each.elicited for each in of_list]),
        against=joined([each.against for each in of_list]),
    )


def _log_epoch(epoch: Epoch, _: float) -> None:
    log.info("epoch %d: loss %.4f", epoch.epoch, epoch.train_loss)


def _records(options: argparse.Namespace, judged: list[Judged]) -> Iterator[Record]:
    """Of the lists of one length."""
    by_name = {each.name: each.elicited for each in judged}
    for each in judged:
        elicited = each.elicited
        record: dict[str, Any] = {
            "dataset": options.dataset,
            "new_users": "user_cold" if options.folds is None else f"{options.folds} folds",
            "repeats": options.repeats,
            "learner": options.learner,
            "list": each.name,
            "length": each.length,
            "n_users": len(elicited.mae),
            "n_revealed_mean": round(elicited.n_revealed.mean().item(), 2),
            "mae": round(elicited.mae.mean().item(), 4),
            "ndcg5": round(elicited.ndcg5.mean().item(), 4),
        }
        for other in ("popularity", "random"):
            for metric in ("mae", "ndcg5"):
                difference = getattr(elicited, metric) - getattr(by_name[other], metric)
                low, high = interval(difference)
                record[f"{metric}_minus_{other}_low"] = round(low, 4)
                record[f"{metric}_minus_{other}_high"] = round(high, 4)
        log.info("%s", record)
        yield record


if __name__ == "__main__":
    sys.exit(main())
