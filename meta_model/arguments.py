"""What the commands of `python -m meta_model` take."""

from __future__ import annotations

import argparse
from pathlib import Path

from schemas.pipeline import META_TRAIN, SCORE_COLD_USERS, SELECT_EVIDENCE
from schemas.run import command_line
from schemas.tables.products import RANKED_BY

# Commands that are no step of the night.
NEXT_QUESTION, RECOMMEND, OPTIONS = "next_question", "recommend", "options"

# The steps that make a product: how long it is, on the command line and in the model's config.
LENGTHS = {
    SELECT_EVIDENCE: ("--evidence-items", "products.evidence_items"),
    SCORE_COLD_USERS: ("--top-items", "products.top_items"),
}


def parser(description: str | None) -> argparse.ArgumentParser:
    """The parser of all commands: the steps in the order of the night, then the tools."""
    made = argparse.ArgumentParser(prog="python -m meta_model", description=description)
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    for step, command in command_line.add_steps(commands, "meta_model").items():
        _add_device(command)
        if step is META_TRAIN:
            _add_training(command)
        _add_set(command, "any option" if step is META_TRAIN else "an option of products")
        if step in LENGTHS:
            flag, option = LENGTHS[step]
            about = f"how many, instead of {option} of the model's config"
            command.add_argument(flag, dest="length", type=int, help=about)
    _add_session(
        commands, NEXT_QUESTION, "print what to ask one user next, given the answers so far"
    )
    recommend = _add_session(
        commands, RECOMMEND, "print the list of one user, given the answers so far"
    )
    recommend.add_argument("--top-items", type=int, default=10, help="how many items (default: 10)")
    _add_options(commands)
    return made


def _add_session(commands: command_line.Commands, name: str, about: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=about, description=about)
    command_line.add_ds(command)
    command_line.add_model(command)
    _add_device(command)
    command.add_argument(
        "--answers", type=Path, required=True, metavar="FILE",
        help='a JSON object: to each item id a rating, "seen" for "knows it, gives no rating", or '
        'null for "does not know it"',
    )  # fmt: skip
    command.add_argument(
        "--user", metavar="USER_ID", help="whose attributes are known (default: nobody's)"
    )
    command.set_defaults(step=None, tool=name)
    return command


def _add_options(commands: command_line.Commands) -> None:
    about = "print all options of the config, with their defaults and meanings"
    command = commands.add_parser(OPTIONS, help=about, description=about)
    command.add_argument("--model", help="of this learner alone (default: of all)")
    command.set_defaults(step=None, tool=OPTIONS)


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
    command.add_argument(
        "--epochs",
        type=int,
        help="at most so many epochs of the learner of ratings and of the model of choices, each",
    )
    command.add_argument(
        "--rank-by",
        choices=RANKED_BY,
        help="the order of lists: chosen and liked, chosen, or the expected rating "
        f"(default: the team's, the dataset spec's, or {RANKED_BY[0]})",
    )
    command.add_argument("--seed", type=int, help="of weights, dropout and batches")
    command.add_argument(
        "--shards",
        type=int,
        help="streams of row groups that a batch is drawn from; results depend on it "
        "(default: the number of processes)",
    )
