"""The config refuses what makes no sense, in words, wherever it comes from."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from meta_model.config import Config, LocalUpdateConfig
from meta_model.learners import LEARNERS, configured, method_config
from meta_model.learners.aggregating import AggregatingConfig
from meta_model.learners.mamo import MamoConfig
from meta_model.options_page import page
from schemas.errors import UserError
from schemas.run.learners import OURS
from schemas.run.settings import REPOSITORY

SET = re.compile(r"--set ((?!OWNER)\w+\.\w+=[^\s`]+)")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("training.epochs", 0, r"training\.epochs is 0, expected a whole number more than 0"),
        ("training.epochs", True, r"epochs is True, expected a whole number more than 0, as in 10"),
        ("network.dropout", 1.0, "is 1.0, expected a number at least 0 and less than 1"),
        ("network.hidden_sizes", (6, 0), r"each more than 0, as in \[64, 64\]"),
        ("network.likelihood", "cubic", "is 'cubic', expected one of ordinal, squared, as in ord"),
        ("local_update.gradient", "third", "expected one of second_order, first_order, reptile"),
        ("local_update.gradient", "reptile", r"local_update\.gradient .* no gradient for local"),
        ("local_update.rate", -1.0, r"local_update\.rate is -1.0"),
        ("local_update.rate", float("nan"), "rate is nan"),
        ("choice.neighbour_weight", -0.5, "expected a number at least 0"),
    ],
)
def test_a_value_out_of_bounds_is_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Config().having({key: value})


def test_a_section_checks_itself() -> None:
    with pytest.raises(UserError, match="steps is 0, expected a whole number more than 0"):
        LocalUpdateConfig(steps=0)


def test_options_are_read_by_their_types() -> None:
    given = ("local_update.steps=1", "network.baseline=False", "network.dropout=0")
    config = Config().having_set(
        [*given, "network.hidden_sizes=[32]", "local_update.gradient=first_order"]
    )
    network, update = config.network, config.local_update
    chosen = (update.steps, network.baseline, network.dropout, network.hidden_sizes)
    assert chosen == (1, False, 0.0, (32,))
    assert update.gradient == "first_order"


def test_options_of_a_section_are_checked_together() -> None:
    """Reptile takes fixed rates alone, in whichever order both are given."""
    both = ["local_update.gradient=reptile", "local_update.rates=fixed"]
    assert Config().having_set(both) == Config().having_set(reversed(both))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("local_update.step=1", r"Did you mean 'local_update\.steps'"),
        ("local_steps=1", r"'local_steps'.* It is local_update\.steps now\."),
        ("local_rate=0.1", r"It is local_update\.rate now\."),
        ("top_items=5", r"It is products\.top_items now\."),
        ("choice_size=5", r"It is choice\.size now\."),
        ("epochs=5", r"It is training\.epochs or choice\.epochs now\."),
        ("network.anchor=false", r"'network\.anchor'.* It is network\.baseline now\."),
        ("recut=false", r"It is training\.resample now\."),
        ("hidden_size=[3]", r"Did you mean 'network\.hidden_sizes'"),
        ("seed=1", "Give it by --seed"),
        ("version=1", r"expected OWNER\.NAME=VALUE, as in local_update\.steps=1"),
        ("mamo.memory_slots=4", "python -m meta_model options` lists all"),
        ("network.baseline", "baseline is '', expected true or false, as in true"),
        ("local_update.steps=2.5", "steps is 2.5, expected a whole number"),
        ("network.hidden_sizes=[6.5]", r"expected one or more whole numbers, each more than 0"),
        ("network.hidden_sizes=[]", r"hidden_sizes is \(\), expected one or more .* in \[64, 64\]"),
        ("network.hidden_sizes=32", r"hidden_sizes is 32, expected one or more whole numbers"),
        ("network.dropout=much", "dropout is 'much', expected a number"),
        ("network.dropout=1", r"network\.dropout is 1.0"),
    ],
)
def test_an_option_that_is_none_is_refused(option: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Config().having_set([option])


@pytest.mark.parametrize("model", sorted(LEARNERS))
def test_a_config_is_what_its_json_says(model: str) -> None:
    config = configured(model).having({"network.hidden_sizes": (3, 2), "training.epochs": 2})
    config = replace(config, seed=7)
    assert Config.from_json(config.to_json(), method_config) == config


def test_options_of_a_learner_are_its_own() -> None:
    config = configured("mamo").having({"mamo.memory_slots": 3})
    assert config.of_method(MamoConfig).memory_slots == 3
    assert Config(model="mamo").of_method(MamoConfig) == MamoConfig()
    with pytest.raises(UserError, match="model maml has MamoConfig, expected AggregatingConfig"):
        replace(config, model="maml").of_method(AggregatingConfig)


def test_unknown_keys_of_an_artefact_are_refused() -> None:
    values = json.loads(Config().to_json())
    values["network"]["width"] = 3
    with pytest.raises(UserError, match=r"unknown keys \['network.width'\]; train it again"):
        Config.from_json(json.dumps(values), method_config)


def test_options_of_an_artefact_are_read_by_their_old_names() -> None:
    expected = Config().having({"network.baseline": False, "network.cold_item_dropout": 0.3})
    values = json.loads(expected.to_json())
    network = values["network"]
    network["anchor"], network["hide_item"] = (
        network.pop("baseline"),
        network.pop("cold_item_dropout"),
    )
    assert Config.from_json(json.dumps(values), method_config) == expected


def test_no_learner_is_called_as_a_part_of_the_config() -> None:
    with pytest.raises(UserError, match="'training', which is a part of every config"):
        Config(model="training")


def test_the_page_of_the_options_is_what_the_code_says() -> None:
    """`make docs` renews it."""
    assert (REPOSITORY / "docs" / "options.md").read_text() == page(OURS)


def test_every_option_has_a_meaning() -> None:
    for model in OURS:
        for key, option in configured(model).options().items():
            assert option.about, key


def test_the_pages_name_options_that_there_are() -> None:
    pages = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md"]
    pages += sorted((REPOSITORY / "docs").rglob("*.md"))
    shown = {text for page in pages for text in SET.findall(page.read_text())}
    assert len(shown) > 2
    for text in shown:
        owner = text.partition(".")[0]
        if owner != "mine":  # the learner that docs/learners/your-own.md makes up
            configured(owner if owner in OURS else "melu").options()[text.partition("=")[0]]
