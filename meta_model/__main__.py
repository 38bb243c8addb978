"""The command line of the learners: `python -m meta_model --help`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from schemas import command_line, journal
from schemas.settings import Settings, parse_ds

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
        command.add_argument("--model", default="melu", help="the learner (default: melu)")
        command.add_argument(
            "--device",
            choices=("auto", "cpu", "cuda"),
            default="auto",
            help="auto takes a GPU when there is one (default: auto)",
        )
        command.add_argument(
            "--threads", type=int, default=1, help="CPU threads; results depend on it (default: 1)"
        )
        if name == "train":
            command.add_argument("--epochs", type=int, help="at most so many epochs")
            command.add_argument("--seed", type=int, help="of weights, dropout and batches")
    return parser


def _run(options: argparse.Namespace) -> None:
    settings, ds = Settings.from_environment(), parse_ds(options.ds)
    name, _ = STEPS[options.command]
    with journal.step(settings.journals, name, ds) as record:
        # Inside the step: torch takes seconds to load, which --help should not pay.
        from meta_model import steps
        from meta_model.config import Config
        from meta_model.device import choose_device

        device = choose_device(options.device, options.threads)
        if options.command == "train":
            chosen = {"epochs": options.epochs, "seed": options.seed}
            given = {key: value for key, value in chosen.items() if value is not None}
            config = replace(Config(model=options.model), **given)
            steps.run_train(settings, ds, record, device, config)
        else:
            run = getattr(steps, f"run_{options.command}")
            run(settings, ds, record, device, options.model)


if __name__ == "__main__":
    sys.exit(main())
