"""A run that has to end in time leaves out what it cannot begin any more, and says so.

The slow tests take very different times on different machines: `make test-slow MINUTES=30`.
"""

from __future__ import annotations

import time

import pytest

_ENDS = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--minutes", type=float, help="begin no test later than this, and skip what is left then"
    )


def pytest_configure(config: pytest.Config) -> None:
    minutes = config.getoption("--minutes")
    config.stash[_ENDS] = float("inf") if minutes is None else time.monotonic() + 60 * minutes


@pytest.hookimpl(tryfirst=True)  # before fixtures, which may take minutes
def pytest_runtest_setup(item: pytest.Item) -> None:
    if time.monotonic() > item.config.stash[_ENDS]:
        pytest.skip(f"no time was left: --minutes {item.config.getoption('--minutes'):g}")
