"""A fast test takes two seconds at most; one that takes twenty fails.

Between the two lie slow processors, and whichever test of a run is the first to import PyTorch:
that alone took nine seconds on a 2.5 GHz Xeon. The slowest are printed at the end of a run.

The seconds are those of the processor: a busy machine makes a test take much longer by the clock,
and somewhat longer by the processor. They are this process's own. What a test's children take does
not count, because one that an earlier test left would count too: a test that starts programs which
take long asks for the fixture `process`.
"""

from __future__ import annotations

import time
from collections.abc import Generator

import pytest

from tests.suite.kinds import is_fast

SECONDS = 20.0
_SPENT = pytest.StashKey[float]()


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
    before = time.process_time()
    try:
        return (yield)
    finally:
        item.stash[_SPENT] = time.process_time() - before
        item.user_properties.append(("processor_seconds", round(item.stash[_SPENT], 2)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    budget = item.config.getoption("--budget")
    if call.when == "call" and report.passed and budget and is_fast(item):
        spent = item.stash[_SPENT]
        if spent > budget:
            report.outcome = "failed"
            report.longrepr = (
                f"{item.nodeid} took {spent:.1f} s of the processor, and a fast test has "
                f"{budget:g}. Make its data smaller, or let it ask for the fixture `process` or "
                "`long` (tests/suite/needs.py)."
            )
    return report
