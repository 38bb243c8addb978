"""How the tests run (tests/suite), and the shop that most of them share."""

from tests.tiny_shop import source, tiny

__all__ = ["source", "tiny"]  # fixtures for every test

pytest_plugins = (
    "tests.suite.examples",
    "tests.suite.kinds",
    "tests.suite.lanes",
    "tests.suite.budget",
    "tests.suite.minutes",
    "tests.suite.spark",
    "tests.suite.needs",
)
