"""Tests run in UTC, as every command does (`schemas.run.command_line`), on whatever machine."""

from __future__ import annotations

import os
import time


def pytest_configure() -> None:
    """Before any module of tests is imported, in each worker."""
    os.environ["TZ"] = "UTC"
    time.tzset()
