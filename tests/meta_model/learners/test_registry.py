"""Learners by name: ours, those of installed packages, and those that are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from meta_model.config import Config, LocalUpdateConfig
from meta_model.data.inputs import Inputs
from meta_model.learners import LEARNERS, configured, create, method_config
from meta_model.options_page import page
from schemas.errors import UserError
from schemas.run.learners import DEFAULT, OURS, known


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package, as pip would leave it, that declares learners."""
    (tmp_path / "other_learners.py").write_text(
        "from dataclasses import dataclass\n"
        "from meta_model.config import MethodConfig, option\n"
        "from meta_model.learners.melu import MeLU\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class MineConfig(MethodConfig):\n"
        "    n_heads: int = option(4, 'heads of the attention', above=0)\n"
        "    is_deep: bool = False\n"
        "class Mine(MeLU):\n"
        "    method_config = MineConfig\n"
        "NUMBER = 7\n"
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
    made = create(configured("mine"), inputs)
    assert type(made).__name__ == "Mine"
    assert {"mine", "melu", "metahin"} <= set(known())


@pytest.mark.usefixtures("other_package")
def test_a_learner_of_a_package_has_options_of_its_own() -> None:
    config = configured("mine").having_set(["mine.n_heads=2", "mine.is_deep=true"])
    assert (config.method.n_heads, config.method.is_deep) == (2, True)
    assert Config.from_json(config.to_json(), method_config) == config
    assert "| `n_heads` | `4` | a whole number more than 0 | heads of the attention |" in page(
        ["mine"]
    )
    with pytest.raises(UserError, match=r"mine\.n_heads is 0, expected a whole number more than 0"):
        config.having_set(["mine.n_heads=0"])
    with pytest.raises(UserError, match=r"Did you mean 'mine\.n_heads'"):
        config.having_set(["mine.n_head=2"])


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
            Config(
                model="matching",
                local_update=LocalUpdateConfig(gradient="reptile", rates="fixed"),
            ),
            "matching adapts no",
        ),
        (replace(configured("mamo"), model="melu"), "has MamoConfig, expected MethodConfig"),
        (
            Config(model="melu", local_update=LocalUpdateConfig(rates="parameter")),
            "or choose the model maml",
        ),
    ],
)
def test_options_that_a_learner_lacks_are_refused(
    inputs: Inputs, config: Config, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        create(config, inputs)
