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
from schemas.run.learners import known
from schemas.run.settings import Settings, parse_ds
from schemas.tables.products import RANKED_BY

if TYPE_CHECKING:
    import torch

    from meta_model.config import Config
    from meta_model.steps.night import Night

# The steps that make a product: how long it is, on the command line and in the model's config.
LENGTHS = {
    SELECT_EVIDENCE: ("--evidence-items", "products.evidence_items"),
    SCORE_COLD_USERS: ("--top-items", "products.top_items"),
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
        _add_set(command, "any option" if step is META_TRAIN else "an option of products")
        if step in LENGTHS:
            flag, option = LENGTHS[step]
            about = f"how many, instead of {option} of the model's config"
            command.add_argument(flag, dest="length", type=int, help=about)
    _add_next_question(commands)
    _add_options(commands)
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
    command.set_defaults(step=None, action=_ask)


def _add_options(commands: command_line.Commands) -> None:
    about = "print all options of the config, with their defaults and meanings"
    command = commands.add_parser("options", help=about, description=about)
    command.add_argument("--model", help="of this learner alone (default: of all)")
    command.set_defaults(step=None, action=_print_options)


def _add_set(command: argparse.ArgumentParser, which: str) -> None:
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="OWNER.NAME=VALUE",
        help=f"{which} (`python -m meta_model options` lists them), as often as you like",
    )


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


def _run(options: argparse.Namespace) -> None:
    if options.step is None:
        options.action(options)
        return
    settings, ds = Settings.from_environment(), parse_ds(options.ds)
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
        night = nights.open_trained(settings, ds, device, options.model)
        return night.having_set(options.set)
    night = nights.open_chosen(settings, ds, device, options.model)
    _, key = LENGTHS[options.step]
    length = [] if options.length is None else [f"{key}={options.length}"]
    return night.having_set([*options.set, *length])


def _ask(options: argparse.Namespace) -> None:
    """No step of the night: it writes nothing, and may run beside one."""
    from meta_model import ask
    from meta_model.device import choose_device
    from meta_model.steps.night import open_chosen

    settings, ds = Settings.from_environment(), parse_ds(options.ds)
    device = choose_device(options.device, options.threads, options.tf32)
    night = open_chosen(settings, ds, device, options.model)
    ask.run(night, options.answers, options.user)


def _print_options(options: argparse.Namespace) -> None:
    from meta_model import options_page

    print(options_page.page(known() if options.model is None else [options.model]), end="")


def _train(
    options: argparse.Namespace,
    settings: Settings,
    ds: date,
    record: journal.Step,
    device: torch.device,
) -> None:
    from meta_model.training.processes import connected

    with connected(device) as processes:
        config = _config(options, processes.count)
        META_TRAIN.function()(settings, ds, record, device, config, processes)


def _config(options: argparse.Namespace, n_processes: int) -> Config:
    """The learner's defaults, then what `--set` says, then the flags of single options."""
    from meta_model.learners import configured

    config = configured(options.model).having({"training.shards": n_processes})
    config = config.having_set(options.set)
    flags = {
        "training.epochs": options.epochs,
        "training.shards": options.shards,
        "products.rank_by": options.rank_by,
    }
    if options.epochs is not None:
        flags["choice.epochs"] = min(options.epochs, config.choice.epochs)
    if options.seed is not None:
        config = replace(config, seed=options.seed)
    return config.having({key: value for key, value in flags.items() if value is not None})


if __name__ == "__main__":
    sys.exit(main())
