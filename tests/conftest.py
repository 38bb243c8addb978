"""How the tests run (tests/suite), and the shop that most of them share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from tests.tiny_shop import source, tiny

if TYPE_CHECKING:
    from tests.jobs.homes import Home

__all__ = ["source", "tiny"]  # fixtures for every test

pytest_plugins = (
    "tests.suite.zone",
    "tests.suite.examples",
    "tests.suite.kinds",
    "tests.suite.lanes",
    "tests.suite.budget",
    "tests.suite.minutes",
    "tests.suite.spark",
    "tests.suite.needs",
)


@pytest.fixture(scope="session")
def stages(
    tmp_path_factory: pytest.TempPathFactory, spark_variables: Mapping[str, str]
) -> dict[str, Home]:
    """Of the second night: made once for the modules of its lane, whatever folder they are in.

    A fixture that a module imports is another one, which would run the ten steps again.
    """
    from tests.jobs import second_night  # not before lanes.py has limited the threads

    return second_night.stages(tmp_path_factory.mktemp("undisturbed"), spark_variables)
