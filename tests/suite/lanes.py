"""Which tests run on the same worker, and which come first, when several workers share the run.

Each worker computes with one thread, and so do the programs that its tests start: threads of two
workers on the same cores wait for each other, and their waiting is work for the processor.

A module is one lane: its fixtures are made once. Some modules share a lane, because they share
what takes long to make, or because two of them at once would need too much memory.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

# The longest first: whatever is left over at the end is short.
LANES = {
    "tests/ui/test_backfill.py": "airflow",
    "tests/ui/test_three_days.py": "airflow",
    "tests/e2e/test_airflow_night.py": "airflow",
    "tests/docker/test_airflow.py": "airflow",
    "tests/e2e/test_backfill_command.py": "airflow",
    "tests/jobs/test_faults.py": "second night",
    "tests/jobs/test_driver_killed.py": "second night",
    "tests/docker/test_spark.py": "second night",
}
ORDER = (*dict.fromkeys(LANES.values()), "tests/e2e", "tests/jobs", "tests/docker", "tests")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes name no test: those of a packed file hold the second of its making, in each worker."""
    return argname if isinstance(val, bytes) else None


def pytest_configure(config: pytest.Config) -> None:
    if "workerinput" in vars(config):
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # before a library reads it


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "workerinput" in vars(config):  # one process alone runs all in the order of the folders
        items.sort(key=lambda item: _place(_module(item.nodeid)))


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist nobody asks for it
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A scheduler of lanes. (`--dist loadgroup` does nothing with pytest 9.2: it writes the group
    into a name that pytest has already told.)"""
    from xdist.scheduler import LoadScopeScheduling

    class Lanes(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return lane(_module(nodeid))

    return Lanes(config, log)


def lane(module: str) -> str:
    return LANES.get(module, module)


def _module(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _place(module: str) -> int:
    """The sort is stable: within a lane, and among lanes of one place, the order stays."""
    return next(place for place, start in enumerate(ORDER) if lane(module).startswith(start))
