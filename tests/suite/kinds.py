"""What a test needs decides its markers and its limit: nobody writes them, so nobody forgets one.

A test that needs none of the kinds is fast: `make test-fast` runs it, and it has a budget.
"""

from __future__ import annotations

import pytest

# Kind -> the fixtures that start what the kind is named after.
FIXTURES = {
    "spark": {"spark_variables", "cluster", "own_server"},
    "postgres": {"postgresql", "secured", "deployment"},
    "airflow": {"prepared_airflow", "airflow_home"},
    "ui": {"browser", "server_of_ui"},
    "process": {"process"},
    "long": {"long"},
}
# Whole nights under Airflow, some of them in a browser: minutes each.
SLOW = {"airflow", "ui"}
# A hang fails by name. The limits are far above what a test takes, because the first one of a kind
# also pays for the servers, and because on a busy machine all of it takes ten times as long.
LIMIT_SECONDS = {
    **{"process": 600, "long": 600, "postgres": 600, "spark": 1800},
    **{"airflow": 1800, "ui": 2400},
}
LIMIT_SECONDS_OF_FAST = 180


def pytest_configure(config: pytest.Config) -> None:
    for kind, fixtures in FIXTURES.items():
        config.addinivalue_line("markers", f"{kind}: needs {' or '.join(sorted(fixtures))}")
    config.addinivalue_line("markers", "fast: needs none of the other kinds")
    config.addinivalue_line("markers", "slow: is run by `make test-slow`, after `make test`")
    config.addinivalue_line("markers", "longest: is run by `make test-longest`, and not by CI")


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        kinds = kinds_of(item)
        for kind in kinds or {"fast"}:
            item.add_marker(kind)
        if kinds & SLOW and item.get_closest_marker("longest") is None:
            item.add_marker("slow")
        if item.get_closest_marker("timeout") is None:
            limit = max((LIMIT_SECONDS[kind] for kind in kinds), default=LIMIT_SECONDS_OF_FAST)
            item.add_marker(pytest.mark.timeout(limit))


def kinds_of(item: pytest.Item) -> set[str]:
    needed = set(getattr(item, "fixturenames", ()))
    kinds = {kind for kind, fixtures in FIXTURES.items() if fixtures & needed}
    callspec = getattr(item, "callspec", None)
    # The warehouse of this engine asks for its server by itself.
    if callspec is not None and callspec.params.get("engine") == "postgresql":
        kinds.add("postgres")
    return kinds


def is_fast(item: pytest.Item) -> bool:
    later = any(item.get_closest_marker(name) for name in ("slow", "longest"))
    return item.get_closest_marker("fast") is not None and not later
