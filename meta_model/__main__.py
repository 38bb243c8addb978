"""The command line of the learners: `python -m meta_model --help`.

Training runs in several processes by `torchrun --nproc-per-node=N -m meta_model train ...`.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from schemas import command_line, journal
from schemas.lake import Lake
from schemas.learners import DEFAULT, known
from schemas.products import RANKED_BY
from schemas.settings import Settings, parse_ds

if TYPE_CHECKING:
    import torch

# command -> (the step's name in the night, what it does)
STEPS = {
    "train": ("meta_train", "meta-train a learner on the training episodes"),
    "evaluate": ("evaluate", "measure it and the baselines on the test episodes"),
    "evidence": ("select_evidence", "list the items to show new users"),
    "score": ("score_cold_users", "score the items for every cold user"),
}


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    return command_line.run(lambda: _run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m meta_model", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for name, (_, description) in STEPS.items():
        command = commands.add_parser(name, help=description, description=description)
        command.add_argument("--ds", required=True, help="the UTC day the run covers, YYYY-MM-DD")
        command.add_argument(
            "--model",
            default=DEFAULT,
            help=f"the learner: {', '.join(known())} (default: {DEFAULT})",
        )
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
        if name == "train":
            command.add_argument(
                "--epochs", type=int, help="at most so many epochs, of either model"
            )
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
        for product, option in (("evidence", "evidence_items"), ("score", "top_items")):
            if name == product:
                flag = f"--{option.replace('_', '-')}"
                command.add_argument(flag, type=int, help="how many, instead of the model's config")
                command.set_defaults(product_option=option)
    return parser


def _run(options: argparse.Namespace) -> None:
    settings, ds = Settings.from_environment(), parse_ds(options.ds)
    name, _ = STEPS[options.command]
    is_helper = int(os.environ.get("RANK", 0)) > 0  # torchrun's, see meta_model.training.processes
    # A retry waits for a first try that lives on without its Airflow task.
    turn = nullcontext() if is_helper else Lake(root=settings.lake).turn(name, ds)
    with journal.step(settings.journals, name, ds, is_helper=is_helper) as record, turn:
        # Inside the step: torch takes seconds to load, which --help should not pay.
        from meta_model import steps
        from meta_model.device import choose_device

        device = choose_device(options.device, options.threads, options.tf32)
        if options.command == "train":
            _train(options, settings, ds, record, device)
        else:
            # Only what the gate chose makes products; evaluation is what it chooses by.
            is_judged = options.command != "evaluate"
            open_night = steps.open_chosen if is_judged else steps.open_trained
            night = open_night(settings, ds, device, options.model)
            if is_judged and (length := getattr(options, options.product_option)) is not None:
                night = night.having(f"{options.product_option}={length}")
            getattr(steps, f"run_{options.command}")(night, record)


def _train(
    options: argparse.Namespace,
    settings: Settings,
    ds: date,
    record: journal.Step,
    device: torch.device,
) -> None:
    from meta_model.config import Config
    from meta_model.training.processes import connected
    from meta_model.training.step import run_train

    with connected(device) as processes:
        chosen = {name: getattr(options, name) for name in ("epochs", "rank_by", "seed", "shards")}
        given = {name: value for name, value in chosen.items() if value is not None}
        config = Config(model=options.model, shards=processes.count).having(options.set)
        config = replace(config, **given)
        if options.epochs is not None:
            most = min(options.epochs, config.choice_epochs)
            config = replace(config, choice_epochs=most)
        run_train(settings, ds, record, device, config, processes)


if __name__ == "__main__":
    sys.exit(main())
