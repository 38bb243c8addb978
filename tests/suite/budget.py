"""A fast test takes two seconds of a usual processor at most.

The seconds are those of the processor, because a busy machine makes a test take longer by the
clock. Processors differ, and one in a cloud is slower on some days: a test over its budget is
judged beside a loop that is timed there and then, and has half as much again, because another
process on the same core takes from it too. The seconds are this process's own. What a test's
children take does not count, because one that an earlier test left would count too: a test that
starts programs which take long asks for the fixture `process`.

The first test that imports PyTorch or Airflow pays for all: it is not judged. Which test that is
depends on the run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator

import pytest

from tests.suite.kinds import is_fast

SECONDS = 2.0
SHARED_CORE = 1.5
LIBRARY = 100  # modules: as many come with an import of a whole library, or more
_LOOPS, _USUAL_SECONDS = 1_000_000, 0.07  # of CPython 3.11 on a server's processor of 3 GHz
_SPENT, _IMPORTED = pytest.StashKey[float](), pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--budget",
        type=float,
        default=SECONDS,
        metavar="SECONDS",
        help="processor time of a fast test; 0 for any (tools that trace a test slow it down)",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    began, modules = time.process_time(), len(sys.modules)
    try:
        return (yield)
    finally:
        item.stash[_SPENT] = time.process_time() - began
        item.stash[_IMPORTED] = len(sys.modules) - modules


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    budget = item.config.getoption("--budget")
    if call.when != "call" or not report.passed or not budget or not is_fast(item):
        return report
    spent = item.stash[_SPENT]
    if spent <= budget or item.stash[_IMPORTED] >= LIBRARY:
        return report
    allowed = budget * SHARED_CORE * max(1.0, _slowness())
    if spent > allowed:
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} took {spent:.1f} s of the processor, and a fast test has {allowed:.1f} "
            f"here ({budget:g} on a usual processor). Make its data smaller, or let it ask for the "
            "fixture `process` or `long` (tests/suite/needs.py)."
        )
    return report


def _slowness() -> float:
    """How many times longer than on a usual processor a plain loop takes now."""
    began, total = time.process_time(), 0
    for number in range(_LOOPS):
        total += number
    return (time.process_time() - began) / _USUAL_SECONDS
