"""What `describe-source` says of a folder, and of everything wrong with it at once."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from jobs import __main__ as command_line
from schemas.run.settings import Settings
from tests.tiny_shop import Source


def _describe(source: Path, *options: str) -> int:
    return command_line.main(["describe-source", "--source", str(source), *options])


def test_what_a_source_holds(
    tiny: Settings, source: Source, capsys: pytest.CaptureFixture[str]
) -> None:
    source.write_lines("u1,i1", "stranger,i1,3,888926400", "u2,i2,3,2540000000")
    (source.folder / "users.csv").write_text("who,town,shoe size\nu1,Ulm,44\nu2\nu3,,\n")
    assert _describe(source.folder) == 0
    text = capsys.readouterr().out
    for part in (
        f"{source.folder}\n  is read by {source.folder / 'dataset.toml'} as A tiny shop (explicit",
        "  file              rows read  kept  set aside  left out\n"
        "  interactions.csv          7     4          3         0\n"
        "  users.csv                 3     3          0         0\n"
        "  items.csv                 9     9          0         0\n",
        "  users.csv: who, town; not used: shoe size\n"
        "  items.csv: what, name, tags; not used: none",
        "4 from 1998-03-01 to 1998-03-04 (UTC), of 3 users with 3 items",
        "Rows that would be set aside: 42.86%, allowed are 100.00%\n\n"
        "  reason          rows\n"
        "  future_event       1\n"
        "  unknown_user       1\n"
        "  unparsable_row     1\n",
        "  rating  interactions\n  1                  1\n  3                  1\n",
        "  u1       i1       3.0000  1998-03-01 12:00:00\n",
        "  user_id  town\n  u1       Ulm\n  u2       -\n  u3       -\n",
        "  i0       Thing, 0  red, round\n",
    ):
        assert part in text, f"{part!r} not in\n{text}"
    assert not tiny.lake.exists()


def test_all_that_is_missing_at_once(source: Source, caplog: pytest.LogCaptureFixture) -> None:
    (source.folder / "users.csv").unlink()
    (source.folder / "interactions.csv").write_text("who,what,when\n")
    (source.folder / "items.csv").write_text("what,name\ni1,Thing\n")
    with caplog.at_level(logging.ERROR):
        assert _describe(source.folder) == 2
    for part in (
        "does not fit",
        "for 3 reasons",
        "1. " + str(source.folder / "interactions.csv") + " has the columns ['who', 'what', 'when']"
        "; the dataset spec also needs ['stars']",
        "users.csv cannot be read as UTF-8 text",
        "items.csv has the columns ['what', 'name']; the dataset spec also needs ['tags']",
    ):
        assert part in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--spec", "none.toml"], "dataset spec none.toml does not exist; name an existing"),
        (["--source", "/nowhere"], "source /nowhere is not a folder; name one that holds"),
    ],
)
def test_mistakes_on_the_command_line(
    source: Source, caplog: pytest.LogCaptureFixture, options: list[str], message: str
) -> None:
    assert _describe(source.folder, *options) == 2
    assert message in caplog.text


def test_the_help_names_both_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.main(["describe-source", "--help"])
    text = capsys.readouterr().out
    assert "--source PATH" in text
    assert "--spec FILE" in text
    assert "show what a source holds and what of it is wrong" in text
