"""Echoes by hand: two paths, the first of which has none."""

from __future__ import annotations

from math import exp, log1p

import pytest
import torch

from meta_model.layers.echoes import Echoes, Heard


@pytest.fixture
def echoes() -> Echoes:
    made = Echoes(2)
    with torch.no_grad():
        made.log_sharpness.fill_(torch.tensor(2.0).log())
        made.log_damping.fill_(torch.tensor(3.0).log())
    return made


def _heard(residual: list[float], mask: list[bool]) -> Heard:
    """One task's support on both paths: three contexts, the last of which is empty."""
    contexts = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    return Heard(
        contexts=contexts.expand(2, -1, -1),
        residual=torch.tensor(residual).expand(2, -1),
        mask=torch.tensor(mask).expand(2, -1),
    )


def test_an_echo_is_of_those_of_like_context(echoes: Echoes) -> None:
    places = torch.tensor([[3.0, 0.0], [0.0, 0.0]]).expand(2, -1, -1)
    found = echoes(places, _heard([1.0, -1.0, 7.0], [True] * 3))
    assert found[0].abs().max() == 0  # the user's own items are on the way to everything
    weights = [1.0, exp(-2)]  # cosines 1 and 0; an empty context speaks to no one
    echo = (weights[0] - weights[1]) / (3 + sum(weights))
    expected = torch.tensor([[echo, log1p(sum(weights)) / 4], [0.0, 0.0]])
    torch.testing.assert_close(found[1], expected)


def test_the_support_hears_the_others_and_no_padding(echoes: Echoes) -> None:
    heard = _heard([1.0, -1.0, 7.0], [True, True, True])
    found = echoes(heard.contexts, heard, is_support=True)
    expected = torch.tensor([-exp(-2), exp(-2), 0.0]) / torch.tensor([3 + exp(-2)] * 2 + [3.0])
    torch.testing.assert_close(found[1, :, 0], expected)
    alone = echoes(heard.contexts, _heard([1.0, -1.0, 7.0], [True, False, True]), is_support=True)
    assert alone[1, 0].abs().max() == 0


def test_an_empty_support_is_silent(echoes: Echoes) -> None:
    places = torch.ones(2, 4, 2)
    assert echoes(places, echoes.nothing(2, 2, places)).abs().max() == 0
