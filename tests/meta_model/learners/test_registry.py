"""Learners by name: ours, those of installed packages, and those that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.learners import LEARNERS, create
from schemas.errors import UserError
from schemas.run.learners import DEFAULT, OURS, known


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package, as pip would leave it, that declares learners."""
    (tmp_path / "other_learners.py").write_text(
        "from meta_model.learners.melu import MeLU\nclass Mine(MeLU): ...\nNUMBER = 7\n"
    )
    folder = tmp_path / "other_learners-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: other-learners\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[coldstart.learners]\nmine = other_learners:Mine\n"
        "number = other_learners:NUMBER\ngone = other_learners:Gone\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


def test_the_names_are_those_of_the_learners() -> None:
    assert sorted(OURS) == sorted(LEARNERS)
    assert DEFAULT in OURS


@pytest.mark.usefixtures("other_package")
def test_a_package_adds_a_learner_by_an_entry_point(inputs: Inputs, config: Config) -> None:
    made = create(Config(model="mine", embedding_size=4), inputs)
    assert type(made).__name__ == "Mine"
    assert {"mine", "melu", "metahin"} <= set(known())


def test_an_unknown_model_lists_the_known_ones(inputs: Inputs) -> None:
    with pytest.raises(UserError, match=r"'meluu'; the known ones are .*'melu', .*'prototypical'"):
        create(Config(model="meluu"), inputs)


@pytest.mark.usefixtures("other_package")
@pytest.mark.parametrize(
    ("model", "message"),
    [("number", "is other_learners:NUMBER, which is no"), ("gone", "cannot be loaded: .*Gone")],
)
def test_an_entry_point_that_is_no_learner_is_refused(
    inputs: Inputs, model: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        create(Config(model=model), inputs)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"model": "matching", "gradient": "reptile", "local_rates": "fixed"},
            "matching adapts no",
        ),
        ({"model": "melu", "local_rates": "parameter"}, "or choose the model maml"),
    ],
)
def test_options_that_a_learner_lacks_are_refused(
    inputs: Inputs, config: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        create(Config(**config), inputs)
