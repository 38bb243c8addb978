"""The help of every command says what each of its options is."""

from __future__ import annotations

import argparse

import pytest

from jobs import __main__ as jobs
from meta_model import arguments as meta_model
from schemas.run import command_line


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    [commands] = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return commands.choices


COMMANDS = {
    f"{program} {name}": command
    for program, parser in (("jobs", jobs._parser()), ("meta_model", meta_model.parser(None)))
    for name, command in _commands(parser).items()
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_meaning(name: str) -> None:
    options = COMMANDS[name]._actions
    assert [each.option_strings or each.dest for each in options if not each.help] == []


@pytest.mark.parametrize("given", [["--model", "mell"], []])
def test_a_learner_that_there_is_not_ends_a_command_before_it_reads_anything(
    given: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_line, "known", lambda: ["maml", "mamo"])
    parser = argparse.ArgumentParser()
    command_line.add_model(parser)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(given)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert f"the model is {(given or ['', 'ridge'])[1]!r}; expected one of maml, mamo." in told
