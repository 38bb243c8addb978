"""Every command that the code names, in errors, reports and docstrings, exists and parses."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from collections.abc import Iterator
from datetime import date
from importlib import import_module

import pytest

from schemas import pipeline
from schemas.pipeline import NIGHT, steps_of
from schemas.run.settings import REPOSITORY
from schemas.step import Step
from tests.documented.pages import PAGES

PROGRAMS = ("jobs", "meta_model", "local")
FILES = [
    file
    for folder in ("schemas", *PROGRAMS, "dags", "docker", "benchmarks")
    for file in sorted((REPOSITORY / folder).rglob("*"))
    if file.suffix in (".py", ".html", ".sh", ".yaml", ".toml")
]
NAMES = {step.name for step in NIGHT}
# "meta-train" is also a verb.
OTHER_SPELLINGS = {name.replace("_", "-") for name in NAMES} - NAMES - {"meta-train"}
COMMAND = re.compile(rf"-m ({'|'.join(PROGRAMS)}) ([a-z][\w-]*(?: [\w./:=-]*\w)*)")


def _texts() -> Iterator[tuple[str, str]]:
    """Where it stands, and each text of the code, with VALUE for what it is formatted with."""
    for file in FILES:
        where = str(file.relative_to(REPOSITORY))
        if file.suffix != ".py":
            yield where, file.read_text()
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = (p.value if isinstance(p, ast.Constant) else "VALUE" for p in node.values)
                yield where, "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield where, node.value


NAMED = [
    (where, *found)
    for where, text in _texts()
    for found in COMMAND.findall(re.sub(r"\\\n *", "", text))
]


@pytest.fixture
def parser_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Command lines that stop once their arguments are parsed."""
    parse = argparse.ArgumentParser.parse_args

    def parse_and_stop(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
        parse(parser, arguments)
        raise SystemExit(0)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)


def _parses(program: str, words: list[str]) -> bool:
    with pytest.raises(SystemExit) as ended:
        import_module(f"{program}.__main__").main(words)
    return ended.value.code == 0


@pytest.mark.usefixtures("parser_of")
@pytest.mark.parametrize("step", NIGHT, ids=lambda step: step.name)
def test_the_command_that_an_error_names_for_a_step_parses(step: Step) -> None:
    shown = step.command(date(1998, 3, 31)).replace("NAME", "melu")
    _, _, program, *words = shlex.split(shown)
    assert _parses(program, words)


@pytest.mark.usefixtures("parser_of")
@pytest.mark.parametrize(("where", "program", "words"), NAMED)
def test_a_command_that_the_code_names_parses(where: str, program: str, words: str) -> None:
    first, *options = words.split()
    has_options = any(word.startswith("-") for word in options)  # else it is only named
    assert _parses(program, [first, *(options if has_options else ["--help"])]), where


def test_the_code_names_commands() -> None:
    assert len(NAMED) > 10


def test_a_step_has_one_spelling() -> None:
    other = re.compile(rf"\b({'|'.join(sorted(OTHER_SPELLINGS))})\b")
    texts = [*_texts(), *((page.name, page.read_text()) for page in PAGES)]
    assert [(where, found[0]) for where, text in texts if (found := other.search(text))] == []


@pytest.mark.parametrize("program", ["jobs", "meta_model"])
def test_help_lists_the_steps_in_the_order_of_the_night_with_what_they_read_and_make(
    program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _parses(program, ["--help"])
    told = " ".join(capsys.readouterr().out.split())
    places = [told.index(f" {name} {step.does}") for name, step in steps_of(program).items()]
    assert places == sorted(places)
    for step in steps_of(program).values():
        read = ", ".join((*step.reads, *filter(None, [step.also_reads])))
        made = ", ".join((*step.makes, *filter(None, [step.also_makes])))
        assert f"Reads {read}. Makes {made}." in told


def test_all_steps_belong_to_one_of_the_two_programs() -> None:
    assert [*steps_of("jobs").values(), *steps_of("meta_model").values()] == sorted(
        pipeline.NIGHT, key=lambda step: step.program
    )
