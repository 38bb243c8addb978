"""The command line of the learners: `python -m meta_model --help`.

Training runs in several processes by `torchrun --nproc-per-node=N -m meta_model meta_train ...`.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.lake import Lake
from schemas.pipeline import META_TRAIN, SCORE_COLD_USERS, SELECT_EVIDENCE, Step
from schemas.run import command_line, journal
from schemas.run.settings import Settings, parse_ds
from schemas.tables.products import RANKED_BY

if TYPE_CHECKING:
    import torch

    from meta_model.steps.night import Night

# The steps that make a product: how long it is, on the command line and in the model's config.
LENGTHS = {
    SELECT_EVIDENCE: ("--evidence-items", "evidence_items"),
    SCORE_COLD_USERS: ("--top-items", "top_items"),
}


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    return command_line.run(lambda: _run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m meta_model", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for step, command in command_line.add_steps(commands, "meta_model").items():
        _add_device(command)
        if step is META_TRAIN:
            _add_training(command)
        if step in LENGTHS:
            flag, option = LENGTHS[step]
            about = f"how many, instead of {option} of the model's config"
            command.add_argument(flag, dest="length", type=int, help=about)
    _add_next_question(commands)
    return parser


def _add_next_question(commands: command_line.Commands) -> None:
    about = "print what to ask one user next, given the answers so far"
    command = commands.add_parser("next_question", help=about, description=about)
    command_line.add_ds(command)
    command_line.add_model(command)
    _add_device(command)
    command.add_argument(
        "--answers", type=Path, required=True, metavar="FILE",
        help='a JSON object of item ids and ratings, null for "do not know it"',
    )  # fmt: skip
    command.add_argument(
        "--user", metavar="USER_ID", help="whose attributes are known (default: nobody's)"
    )
    command.set_defaults(step=None)


def _add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="auto takes a GPU when there is one (default: auto)",
    )
    command.add_argument(
        "--threads", type=int, default=1, help="CPU threads; results depend on it (default: 1)"
    )
    command.add_argument(
        "--tf32",
        action="store_true",
        help="multiply matrices by TF32 on a GPU: less exact, perhaps faster (default: off)",
    )


def _add_training(command: argparse.ArgumentParser) -> None:
    command.add_argument("--epochs", type=int, help="at most so many epochs, of either model")
    command.add_argument(
        "--rank-by",
        choices=RANKED_BY,
        help="the order of lists: chosen and liked, chosen, or the expected rating "
        f"(default: {RANKED_BY[0]})",
    )
    command.add_argument("--seed", type=int, help="of weights, dropout and batches")
    command.add_argument(
        "--shards",
        type=int,
        help="streams of row groups that a batch is drawn from; results depend on it "
        "(default: the number of processes)",
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any option of meta_model/config.py, as often as you like: local_steps=1",
    )


def _run(options: argparse.Namespace) -> None:
    settings, ds = Settings.from_environment(), parse_ds(options.ds)
    if options.step is None:
        _ask(options, settings, ds)
        return
    step: Step = options.step
    is_helper = int(os.environ.get("RANK", 0)) > 0  # torchrun's, see meta_model.training.processes
    # A retry waits for a first try that lives on without its Airflow task.
    turn = nullcontext() if is_helper else Lake(root=settings.lake).turn(step.name, ds)
    with journal.step(settings.journals, step.name, ds, is_helper=is_helper) as record, turn:
        # Inside the step: torch takes seconds to load, which --help should not pay.
        from meta_model.device import choose_device

        device = choose_device(options.device, options.threads, options.tf32)
        if step is META_TRAIN:
            _train(options, settings, ds, record, device)
        else:
            step.function()(_open(options, settings, ds, device), record)


def _open(options: argparse.Namespace, settings: Settings, ds: date, device: torch.device) -> Night:
    """The night with its model: only what the gate chose makes products, and it chooses by the
    evaluation of what was trained."""
    from meta_model.steps import night as nights

    if options.step not in LENGTHS:
        return nights.open_trained(settings, ds, device, options.model)
    night = nights.open_chosen(settings, ds, device, options.model)
    _, option = LENGTHS[options.step]
    return night if options.length is None else night.having(f"{option}={options.length}")


def _ask(options: argparse.Namespace, settings: Settings, ds: date) -> None:
    """No step of the night: it writes nothing, and may run beside one."""
    from meta_model import ask
    from meta_model.device import choose_device
    from meta_model.steps.night import open_chosen

    device = choose_device(options.device, options.threads, options.tf32)
    night = open_chosen(settings, ds, device, options.model)
    ask.run(night, options.answers, options.user)


def _train(
    options: argparse.Namespace,
    settings: Settings,
    ds: date,
    record: journal.Step,
    device: torch.device,
) -> None:
    from meta_model.config import Config
    from meta_model.training.processes import connected

    with connected(device) as processes:
        chosen = {name: getattr(options, name) for name in ("epochs", "rank_by", "seed", "shards")}
        given = {name: value for name, value in chosen.items() if value is not None}
        config = Config(model=options.model, shards=processes.count).having(options.set)
        config = replace(config, **given)
        if options.epochs is not None:
            most = min(options.epochs, config.choice_epochs)
            config = replace(config, choice_epochs=most)
        META_TRAIN.function()(settings, ds, record, device, config, processes)


if __name__ == "__main__":
    sys.exit(main())
