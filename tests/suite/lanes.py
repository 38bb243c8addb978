"""Which tests run on the same worker, and which come first, when several workers share the run.

A module is one lane: its fixtures are made once. Some modules share a lane, because they share
what takes long to make, or because two of them at once would need too much memory.
"""

from __future__ import annotations

from pathlib import Path

import pytest

# The longest first: whatever is left over at the end is short.
LANES = {
    "tests/ui/test_backfill.py": "airflow",
    "tests/ui/test_three_days.py": "airflow",
    "tests/e2e/test_airflow_night.py": "airflow",
    "tests/docker/test_airflow.py": "airflow",
    "tests/jobs/test_faults.py": "second night",
    "tests/jobs/test_driver_killed.py": "second night",
    "tests/docker/test_spark.py": "second night",
}
ORDER = (*dict.fromkeys(LANES.values()), "tests/e2e", "tests/jobs", "tests/docker", "tests")


@pytest.hookimpl(tryfirst=True)  # before xdist writes the lane into the name
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("numprocesses", None) and "workerinput" not in vars(config):
        return  # one process runs all in the order of the folders
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_lane(item)))
    items.sort(key=_place)


def _lane(item: pytest.Item) -> str:
    module = _module(item)
    return LANES.get(module, module)


def _module(item: pytest.Item) -> str:
    return str(Path(item.path).relative_to(item.config.rootpath))


def _place(item: pytest.Item) -> int:
    """Stable: within a lane, and among lanes of one place, the order stays."""
    lane = _lane(item)
    return next(place for place, start in enumerate(ORDER) if lane.startswith(start))
