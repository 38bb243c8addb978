"""What the command lines of all packages share: steps as commands, how they log and end."""

from __future__ import annotations

import argparse
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from schemas.errors import FULL_DISK, PassingError, UserError, full_disk_code
from schemas.pipeline import steps_of
from schemas.run.learners import DEFAULT, known
from schemas.run.team_file import team_file
from schemas.step import Step

log = logging.getLogger("coldstart")

_CLOSED = (PermissionError, NotADirectoryError, IsADirectoryError)


def run(action: Callable[[], None]) -> int:
    """Run `action` in UTC; its exit code: 0 done, 2 a mistake of the user, 1 anything else.

    A mistake of the user, an error that may pass, a full disk and a path that is closed to this
    user are shown in one message; other errors keep their traceback.
    """
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")  # others: warnings
    for package in ("coldstart", "benchmarks", "jobs", "meta_model", "schemas"):
        logging.getLogger(package).setLevel(logging.INFO)
    try:
        with _in_utc():
            action()
    except UserError as error:
        log.error("error: %s", error)
        return 2
    except PassingError as error:
        log.error("error: %s", error)
        return 1
    except _CLOSED as error:
        log.debug("where it was raised:", exc_info=True)
        log.error(
            "error: %s; expected a path that this user may read and write. Look at its owner and "
            "its mode, and at COLDSTART_HOME or the option that names it.",
            f"{error.filename}: {error.strerror}" if error.filename else error,
        )
        return 2
    except Exception as error:
        if not _is_full_disk(error):
            raise
        log.error(
            "error: the disk is full or a file-size limit is reached (%s); expected room for a new "
            "version beside the old one. Free some space and run the step again: what was there "
            "before is untouched.",
            str(error).splitlines()[0],
        )
        return 1
    return 0


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_steps(commands: Commands, program: str) -> dict[Step, argparse.ArgumentParser]:
    """A command for each of the program's steps, in the order of the night."""
    return {step: _add_step(commands, step) for step in steps_of(program).values()}


def _add_step(commands: Commands, step: Step) -> argparse.ArgumentParser:
    read, made = (
        ", ".join(filter(None, each))
        for each in ((*step.reads, step.also_reads), (*step.makes, step.also_makes))
    )
    about = f"{step.does} Reads {read}. Makes {made}."
    command = commands.add_parser(step.name, help=about, description=about)
    command.set_defaults(step=step)
    add_ds(command)
    if step.takes_model:
        add_model(command)
    return command


def add_ds(command: argparse.ArgumentParser) -> None:
    """Add the required option `--ds`."""
    # Parsed later, by parse_ds, so that a wrong date reads like every other mistake.
    command.add_argument("--ds", required=True, help="the UTC day the run covers, YYYY-MM-DD")


def add_model(command: argparse.ArgumentParser) -> None:
    """Add the option `--model`; a name that is no learner's ends the parser with an error."""
    about = f"the learner: {', '.join(known())} (default: the team's, or {DEFAULT})"
    # argparse applies the type to a default that is a text, and reports what it refuses.
    command.add_argument("--model", type=_model, default="", help=about)


def _model(name: str) -> str:
    try:
        chosen = name or team_file().run.model
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if chosen not in known():
        expected = ", ".join(known())
        raise argparse.ArgumentTypeError(f"the model is {chosen!r}; expected one of {expected}.")
    return chosen


@contextmanager
def _in_utc() -> Iterator[None]:
    """UTC as the zone of this process, and of what it starts, for the block.

    Our own code asks for no other. Great Expectations collects the times of rows that break a rule
    by itself, and shows them, and the time of its check, in the process's zone; so does the log.
    """
    before = os.environ.get("TZ")
    _set_zone("UTC")
    try:
        yield
    finally:
        _set_zone(before)


def _set_zone(zone: str | None) -> None:
    if zone is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = zone
    time.tzset()


def _is_full_disk(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            return True
        if full_disk_code(str(error)) is not None:  # of a JVM, say
            return True
        error = error.__cause__ or error.__context__
    return False
