"""The config refuses what makes no sense, in words, wherever it comes from."""

from __future__ import annotations

import pytest

from meta_model.config import Config
from schemas.errors import UserError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "config epochs is 0, expected more than 0"),
        ({"dropout": 1.0}, "config dropout is 1.0"),
        ({"likelihood": "cubic"}, "config likelihood is 'cubic', expected one of"),
        ({"gradient": "third"}, "config gradient is 'third', expected one of"),
        ({"gradient": "reptile"}, "has no gradient for local rates"),
        ({"local_rate": -1.0}, "config local_rate is -1.0"),
    ],
)
def test_a_config_out_of_bounds_is_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Config(**values)


def test_options_are_read_by_the_type_of_their_default() -> None:
    numbers = ("local_steps=1", "anchor=False", "dropout=0", "hidden_sizes=[32]")
    config = Config().having([*numbers, "gradient=first_order"])
    chosen = (config.local_steps, config.anchor, config.dropout, config.hidden_sizes)
    assert chosen == (1, False, 0.0, (32,))
    assert config.gradient == "first_order"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("local_step=1", "Did you mean 'local_steps'"),
        ("version=1", "expected NAME=VALUE"),
        ("anchor", "expected a value like true"),
        ("local_steps=2.5", "expected a value like 3"),
        ("hidden_sizes=[6.5]", r"expected a value like \[64, 64\]"),
        ("dropout=much", "expected a value like 0.2"),
        ("dropout=1", "config dropout is 1.0"),
    ],
)
def test_an_option_that_is_none_is_refused(option: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Config().having([option])
