"""No module leads back to itself by what it imports, and no folder is a heap."""

from __future__ import annotations

import pytest

from tests.suite.structure import MOST_FILES, PACKAGES, circles, structure


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_lead_one_way(package: str) -> None:
    found = structure(package)
    assert found.circles == ()
    assert found.folder_circles == ()
    assert found.crowded[1] <= MOST_FILES, found.crowded


def test_a_circle_is_found_with_all_of_its_modules() -> None:
    arrows = {"a": ["b"], "b": ["c"], "c": ["b"], "d": ["a"], "e": ["e"]}
    assert list(circles(arrows)) == [("b", "c"), ("e",)]
