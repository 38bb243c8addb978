"""New users to ask: those of a split's `user_cold`, or every user of a data set in turn.

What the benchmarks of evidence share: their options, the inputs of each trial, and the model of
choices.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.inputs import held_out_users, public_split
from meta_model.choice.model import ChoiceModel
from meta_model.choice.training import Training, train
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.ragged import CPU
from schemas.errors import UserError

log = logging.getLogger("benchmarks.inputs.new_users")

DATASETS = sorted([*public_split.SPLITS, "ml-100k"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that `trials` and `choice_model` read."""
    parser.add_argument("--data", type=Path, required=True, help="the folder of the splits")
    parser.add_argument("--dataset", choices=DATASETS, required=True)
    parser.add_argument("--folds", type=int, help="hold out users in so many parts, 2 or more")
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    parser.add_argument(
        "--choice-epochs", type=int, default=Training.epochs, help="of the model of choices"
    )
    parser.add_argument("--seed", type=int, default=1, help="of training, folds and random lists")


def named(options: argparse.Namespace) -> str:
    """Who is new, as records say it."""
    return "user_cold" if options.folds is None else f"{options.folds} folds"


def trials(
    options: argparse.Namespace, config: Config, scratch: Path, repeats: int = 1
) -> Iterator[tuple[Config, Inputs]]:
    """The config of each trial and its inputs, for one seed after another."""
    data, dataset, folds = options.data, options.dataset, options.folds
    seeds = range(options.seed, options.seed + repeats)
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
        windows = config.training.resample
        inputs = public_split.load(data / dataset, split, folder, windows=windows, seed=seed)
        yield replace(config, seed=seed), inputs


def choice_model(
    options: argparse.Namespace,
    config: Config,
    inputs: Inputs,
    device: torch.device = CPU,
) -> ChoiceModel:
    """With light regularisation always, and not, as a night, what validation users prefer."""
    training = replace(Training.of(config, "light"), epochs=options.choice_epochs)
    return train(
        inputs,
        training,
        lambda epoch, loss: log.info("model of choices, epoch %d: loss %.4f", epoch, loss),
        device,
    )
