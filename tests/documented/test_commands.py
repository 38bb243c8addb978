"""Every command that a page shows exists, takes the arguments it is shown with, and is run.

A command that no test runs says why beside it: it takes minutes, or needs what no test has.
"""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import NoReturn

import pytest

from schemas.run.settings import REPOSITORY
from tests.documented.pages import Command, commands

MAKEFILE = (REPOSITORY / "Makefile").read_text()
[TARGETS] = (line.split() for line in re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.M))
VARIABLES = {*re.findall(r"^(\w+) +\?=", MAKEFILE, re.M), "SCHEDULE"}
PROGRAMS = ("jobs", "meta_model", "local", "benchmarks", "schemas")
# What a page writes in capitals stands for something: this does.
STANDS_FOR = {"DIR": "/data", "NAME": "ml-1m", "DATASET": "ml-1m", "N": "3"}

MAKE = [c for c in commands() if c.words[0] == "make" and len(c.words) > 1]
PYTHON = [
    (command, program)
    for command in commands()
    for program in {word for word in command.words if word.split(".")[0] in PROGRAMS}
    if program != "schemas.docs" and command.after("-m", program) is not None  # it takes none
]

# Each target: the test that runs it or what it starts, or why none does.
RUN_BY = {
    "nightly": "tests/e2e/test_airflow_night.py::test_a_night_from_an_empty_home",
    "backfill": "tests/e2e/test_backfill_command.py::test_two_days_by_the_command",
    "ui": "tests/ui/test_backfill.py::test_two_days_go_on_after_everything_was_killed",
    "install": "tests/local/test_install.py::test_uv_comes_as_a_wheel_and_installs",
    "help": "tests/local/test_command_line.py::test_help_lists_every_target",
    "docs": "tests/documented/test_site.py::test_the_site_has_no_dead_link",
    "compose-check": "tests/docker/test_compose.py::test_a_container_can_do_little",
    "benchmark-features": "tests/benchmarks/test_tiny_runs.py::test_features",
    "benchmark-warehouse": (
        "tests/benchmarks/test_warehouse.py::test_every_engine_publishes_and_is_read_meanwhile"
    ),
    "benchmark-evidence": (
        "tests/benchmarks/test_held_out_users.py::test_lists_are_compared_over_all_trials"
    ),
    "benchmark-lists": (
        "tests/benchmarks/test_lists.py::test_every_method_has_a_figure_for_every_number_known"
    ),
    "benchmark-nights": (
        "tests/benchmarks/test_nights.py::test_the_users_of_all_nights_are_taken_together"
    ),
    "benchmark": "tests/benchmarks/test_tiny_runs.py::test_throughput",
    "benchmarks-stale": (
        "tests/benchmarks/test_stale.py::test_what_changed_after_the_measured_commit_is_listed"
    ),
}
NOT_RUN = {
    "test": "it is this run",
    "tests-but-slow": "it is this run",
    "test-fast": "its tests are among those of `make test`",
    "test-slow": "it takes as long as all the others",
    "test-longest": "it takes hours",
    "test-ui": "its tests are among those of `make test` and `make test-slow`",
    "lint": "`make test` begins with it",
    "compose-files": "`make test` begins with it",
    "format": "it changes files",
    "constraints": "it asks a package index for every version there is",
    "clean": "it removes the environment that runs the tests",
}


class ParsedError(Exception):
    """The arguments are right, and nothing has started yet."""


@pytest.fixture(scope="module")
def programs() -> dict[str, ModuleType]:
    """Imported before any test's time is counted: PyTorch takes seconds."""
    names = {program for _, program in PYTHON}
    return {name: import_module(_started(name)) for name in names}


def _started(program: str) -> str:
    """The module that `python -m` runs: of a package its `__main__`."""
    found = find_spec(program)
    is_package = found is not None and found.submodule_search_locations is not None
    return f"{program}.__main__" if is_package else program


@pytest.fixture
def parsing_only(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = argparse.ArgumentParser.parse_args

    def parse_and_stop(parser: argparse.ArgumentParser, arguments: list[str]) -> NoReturn:
        parse(parser, arguments)
        raise ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)


def test_the_pages_show_commands() -> None:
    assert len(MAKE) > 20
    assert len(PYTHON) > 20


@pytest.mark.parametrize("command", MAKE, ids=str)
def test_make_knows_what_a_page_tells_it_to_do(command: Command) -> None:
    targets = [word for word in command.after("make") or () if "=" not in word]
    variables = {word.split("=")[0] for word in command.words if "=" in word}
    assert set(targets) <= set(TARGETS)
    assert {name for name in variables if not name.startswith("COLDSTART_")} <= VARIABLES


@pytest.mark.parametrize(
    ("command", "program"), PYTHON, ids=[f"{command}" for command, _ in PYTHON]
)
def test_a_program_takes_the_arguments_that_a_page_shows(
    command: Command,
    program: str,
    programs: dict[str, ModuleType],
    parsing_only: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = [word.strip("[]") for word in command.after("-m", program) or ()]
    arguments = [
        "melu" if before == "--learner" else STANDS_FOR.get(word, word)
        for before, word in zip(["", *shown], shown, strict=False)
    ]
    if not any(word.startswith("-") for word in arguments):  # the page only names it
        arguments = [word for word in arguments if word != "..."] + ["--help"]
    with pytest.raises((ParsedError, SystemExit)) as ended:
        programs[program].main(arguments)
    told = capsys.readouterr().err
    assert ended.type is ParsedError or ended.value.code == 0, told


def test_every_target_is_run_or_says_why_not() -> None:
    assert {*re.findall(r"^([a-z][\w-]*):", MAKEFILE, re.M)} == set(TARGETS)
    assert {*RUN_BY, *NOT_RUN} == set(TARGETS)
    assert not RUN_BY.keys() & NOT_RUN.keys()


def test_tests_that_pages_name_are_there() -> None:
    """Files and folders of tests, and what `pytest -k` is to select in them."""
    for command in commands():
        if (arguments := command.after("-m", "pytest")) is None:
            continue
        folders = [word for word in arguments if word.startswith("tests")]
        assert folders
        if "-k" in arguments:
            chosen = arguments[arguments.index("-k") + 1]
            texts = [file.read_text() for folder in folders for file in _files(folder)]
            assert len(re.findall(rf"^def test_\w*{chosen}", "\n".join(texts), re.M)) == 1
    for page_text in (REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "README.md"):
        for path in re.findall(r"`(tests/[\w/.-]+)`", page_text.read_text()):
            assert (REPOSITORY / path).exists(), path


def _files(folder: str) -> list:
    path = REPOSITORY / folder
    return [path] if path.is_file() else list(path.rglob("test_*.py"))
