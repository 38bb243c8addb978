"""`python -m local <nightly|backfill|ui>`: what `make` calls."""

from __future__ import annotations

import argparse
import os
import sys

from local.backfill import backfill
from local.nightly import nightly
from local.processes import StartError, stopping_on_sigterm
from local.ui import ui
from schemas.errors import UserError
from schemas.run.command_line import add_model
from schemas.run.learners import known
from schemas.run.settings import Settings, parse_ds

FAILED, USER_MISTAKE, STOPPED = 1, 2, 130


def main(arguments: list[str]) -> int:
    """Run `make nightly`, `backfill` or `ui`; errors become messages on stderr and exit codes."""
    options = _parser().parse_args(arguments)
    try:
        with stopping_on_sigterm():
            return _run(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return USER_MISTAKE
    except StartError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\nstopped; nothing is left running", file=sys.stderr)
        return STOPPED


def _run(options: argparse.Namespace) -> int:
    settings = Settings.from_environment()
    if options.command != "ui" and options.model not in known():
        raise UserError(f"the model is {options.model!r}; expected one of {', '.join(known())}.")
    match options.command:
        case "nightly":
            return nightly(settings, parse_ds(options.ds), options.model)
        case "backfill":
            return backfill(
                settings, parse_ds(options.first), parse_ds(options.last), options.model
            )
        case _:
            return ui(settings, scheduled=os.environ.get("SCHEDULE") == "on")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one_night = commands.add_parser("nightly", help="run one night and show what it produced")
    one_night.add_argument("--ds", required=True, help="the day to cover, YYYY-MM-DD")
    past = commands.add_parser("backfill", help="run past days by Airflow's own backfill")
    past.add_argument("--from", dest="first", required=True, help="the first day, YYYY-MM-DD")
    past.add_argument("--to", dest="last", required=True, help="the last day, YYYY-MM-DD")
    for command in (one_night, past):
        add_model(command)
    commands.add_parser("ui", help="serve Airflow's web interface on 127.0.0.1 until Ctrl-C")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
