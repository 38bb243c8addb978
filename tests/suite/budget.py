"""A fast test takes two seconds of a usual processor at most.

The seconds are those of the processor, because a busy machine makes a test take longer by the
clock. Processors differ, and one in a cloud is slower on some days: a test over its budget is
judged beside a loop that is timed there and then. Even so the same test takes twice as long when
a neighbour shares the core and its cache. A test over its budget is therefore a warning in the
run's summary, and fails only over three times its budget, where no neighbour is to blame.
The seconds are this process's own. What a test's children take does not count, because one that
an earlier test left would count too: a test that starts programs which take long asks for the
fixture `process`.

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
CERTAIN = 3.0  # times the budget: so slow is a test itself, not the machine
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
    allowed = budget * max(1.0, slowness())
    advice = (
        f"{item.nodeid} took {spent:.1f} s of the processor, and a fast test has {allowed:.1f} "
        f"here ({budget:g} on a usual processor). Make its data smaller, or let it ask for the "
        "fixture `process` or `long` (tests/suite/needs.py)."
    )
    if spent > CERTAIN * allowed:
        report.outcome, report.longrepr = "failed", advice
    elif spent > allowed:
        item.warn(pytest.PytestWarning(advice))
    return report


def slowness() -> float:
    """How many times longer than on a usual processor a plain loop takes now."""
    began, total = time.process_time(), 0
    for number in range(_LOOPS):
        total += number
    return (time.process_time() - began) / _USUAL_SECONDS
