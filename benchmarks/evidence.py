"""Which list of items tells most of a new user: an elicitation simulation on a public split.

    python -m benchmarks.evidence --data DIR --dataset ml-1m --json FILE

A model is trained on `train`; lists are made of what it and `train` say; each user of `user_cold`
reveals their ratings of the items of a list, and the model predicts the rest
(meta_model/elicitation.py). `random` is the mean of five lists. The intervals are of the mean
difference per user, 95%, by a paired bootstrap: where it lies below 0, the list beats the other in
MAE.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks import public_split
from benchmarks.records import Record, write_json
from meta_model.config import Config
from meta_model.device import choose_device
from meta_model.elicitation import Elicited, elicit, interval
from meta_model.evidence import LISTS, order
from meta_model.item_values import ItemValues, item_values
from meta_model.training.checkpoint import Epoch
from meta_model.training.meta_train import Watch, meta_train
from schemas import command_line
from schemas.learners import known

log = logging.getLogger("benchmarks.evidence")

LENGTHS = (5, 10, 20)
_RANDOM_LISTS = 5


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="the folder of the splits")
    parser.add_argument("--dataset", choices=sorted(public_split.SPLITS), required=True)
    parser.add_argument("--learner", choices=known(), default="melu")
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    parser.add_argument("--epochs", type=int, help="instead of the config's")
    parser.add_argument("--seed", type=int, default=1, help="of training and of random lists")
    options = parser.parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure(options)))


def measure(options: argparse.Namespace) -> Iterator[Record]:
    device = choose_device("auto")
    switches = {"epochs": options.epochs} if options.epochs else {}
    config = Config(model=options.learner, seed=options.seed, **switches)
    with tempfile.TemporaryDirectory() as scratch:
        inputs = public_split.load(
            options.data / options.dataset,
            public_split.SPLITS[options.dataset],
            Path(scratch),
            windows=config.recut,
            seed=config.seed,
        )
        learner = meta_train(inputs, config, device, Watch(on_epoch=_log_epoch)).learner
        values = item_values(learner, inputs, device)
        for length in LENGTHS:
            lists = {name: values.items[order(of(values))[:length]] for name, of in LISTS.items()}
            lists |= _random_lists(values, length, options.seed)
            found = elicit(learner, inputs, lists, device, min_adapt=config.min_adapt)
            yield from _records(options, length, found)


def _log_epoch(epoch: Epoch, _: float) -> None:
    log.info("epoch %d: loss %.4f", epoch.epoch, epoch.train_loss)


def _random_lists(values: ItemValues, length: int, seed: int) -> dict[str, torch.Tensor]:
    draws = torch.Generator().manual_seed(seed)
    size = len(values.items)
    return {
        f"random {number}": values.items[torch.randperm(size, generator=draws)[:length]]
        for number in range(_RANDOM_LISTS)
    }


def _records(
    options: argparse.Namespace, length: int, found: dict[str, Elicited]
) -> Iterator[Record]:
    found["random"] = _mean([found.pop(name) for name in list(found) if name.startswith("random")])
    for name, elicited in found.items():
        record: dict[str, Any] = {
            "dataset": options.dataset,
            "learner": options.learner,
            "list": name,
            "length": length,
            "n_users": len(elicited.mae),
            "n_revealed_mean": round(elicited.n_revealed.mean().item(), 2),
            "mae": round(elicited.mae.mean().item(), 4),
            "ndcg5": round(elicited.ndcg5.mean().item(), 4),
        }
        for other in ("popularity", "random"):
            for metric in ("mae", "ndcg5"):
                difference = getattr(elicited, metric) - getattr(found[other], metric)
                low, high = interval(difference)
                record[f"{metric}_minus_{other}_low"] = round(low, 4)
                record[f"{metric}_minus_{other}_high"] = round(high, 4)
        log.info("%s", record)
        yield record


def _mean(of: list[Elicited]) -> Elicited:
    """User by user."""
    return Elicited(
        n_revealed=torch.stack([each.n_revealed for each in of]).mean(0),
        mae=torch.stack([each.mae for each in of]).mean(0),
        ndcg5=torch.stack([each.ndcg5 for each in of]).mean(0),
    )


if __name__ == "__main__":
    sys.exit(main())
