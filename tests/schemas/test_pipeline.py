"""The declaration of the night holds together, and the README shows it as it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from schemas import docs
from schemas.pipeline import GATE, META_TRAIN, NIGHT
from schemas.run.settings import REPOSITORY
from schemas.step import Step


def test_whatever_a_step_reads_one_before_it_has_made() -> None:
    made: set[str] = set()
    for step in NIGHT:
        own = set(step.makes)  # build_episodes reads the user histories of the night before
        assert set(step.reads) <= made | own, step.name
        assert not made & own, f"{step.name} makes what another step has made"
        made |= own
    read = {table for step in NIGHT for table in step.reads}
    assert made == read, "what none reads need not be made"


def test_no_step_waits_for_one_that_comes_after_it() -> None:
    for number, step in enumerate(NIGHT):
        assert set(step.after) <= set(NIGHT[:number]), step.name
        assert step.after or number == 0, f"{step.name} waits for nothing"
    assert len({step.name for step in NIGHT}) == len(NIGHT)


@pytest.mark.parametrize("step", NIGHT, ids=lambda step: step.name)
def test_the_function_that_a_step_runs_is_there(step: Step) -> None:
    """Seen without importing it: libraries take seconds to load."""
    module, _, function = step.run.partition(":")
    file = REPOSITORY / f"{module.replace('.', '/')}.py"
    defined = [node.name for node in ast.parse(file.read_text()).body if hasattr(node, "name")]
    assert function in defined


def test_stages_count_the_steps_before() -> None:
    assert [step.stage for step in NIGHT] == [0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11]


def test_the_command_of_a_step_of_a_model_names_the_model() -> None:
    ds = "1998-03-31"
    assert META_TRAIN.command(ds, "maml") == (
        "python -m meta_model meta_train --ds 1998-03-31 --model maml"
    )
    assert GATE.command(ds) == "python -m jobs gate --ds 1998-03-31 --model NAME"


def test_a_picture_of_another_night_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert docs.main(["--check"]) == 0, "run python -m schemas.docs"
    text = docs.README.read_text()
    monkeypatch.setattr(docs, "README", tmp_path / "README.md")
    docs.README.write_text(text.replace("  evaluate --> gate\n", "  meta_train --> gate\n"))
    assert docs.main(["--check"]) == 1
    assert "README.md is not what schemas/ says" in capsys.readouterr().err
    assert docs.main([]) == 0
    assert docs.README.read_text() == text, "what people wrote around the picture stays"
