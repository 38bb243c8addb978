"""docs/promises.md names a test for each promise, and each of them is there."""

from __future__ import annotations

import re
from datetime import date

from schemas.run.settings import REPOSITORY
from tests.documented.named import is_collected
from tests.documented.test_commands import RUN_BY

ROW = re.compile(r"^\| (?P<promise>[^|]+) \| (?P<tests>[^|]+) \| (?P<seen>[^|]+) \|$", re.M)
ROWS = [
    row.groupdict()
    for row in ROW.finditer((REPOSITORY / "docs" / "promises.md").read_text())
    if "`tests/" in row["tests"]
]


def test_every_promise_names_tests_that_are_there() -> None:
    assert len(ROWS) > 30
    for row in ROWS:
        names = re.findall(r"`(tests/[^`]+)`", row["tests"])
        assert names, row["promise"]
        assert [name for name in names if not is_collected(name)] == [], row["promise"]


def test_a_promise_says_when_its_test_was_last_seen_failing() -> None:
    for row in ROWS:
        seen = row["seen"].strip()
        assert seen == "not recorded" or date.fromisoformat(seen[:10]), row["promise"]
    assert len({row["promise"] for row in ROWS}) == len(ROWS)


def test_commands_of_the_pages_are_run_by_tests_that_are_there() -> None:
    assert [name for name in RUN_BY.values() if not is_collected(name)] == []


def test_a_test_that_is_gone_is_noticed() -> None:
    assert not is_collected("tests/schemas/test_lake.py::test_that_was_removed")
    assert not is_collected(
        "tests/schemas/test_that_was_removed.py::test_other_days_are_left_alone"
    )
    assert not is_collected("tests/jobs/homes.py::changed")
