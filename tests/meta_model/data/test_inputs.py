"""What the inputs say of likes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meta_model.data.inputs import Inputs


@pytest.mark.parametrize(
    ("levels", "liked_level", "expected"),
    [((1.0, 2.0, 3.0, 4.0, 5.0), None, 4.0), ((0.0, 1.0), None, 1.0), ((1.0, 2.0, 3.0), 2.0, 2.0)],
)
def test_what_is_liked_is_what_the_spec_says_or_the_usual(
    inputs: Inputs, levels: tuple[float, ...], liked_level: float | None, expected: float
) -> None:
    made = replace(inputs, rating_levels=levels, liked_level=liked_level)
    assert made.liked_from == expected
