"""Buttons on tasks, which are StepOperators, that lead to what a night leaves for people to read.

`plugins/coldstart_reports.py` serves the files, under the address of Airflow itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey


def _address(path: str) -> str:
    """On whatever host and port a person sees Airflow: a proxy or a tunnel may change both."""
    base = urlsplit(str(conf.get("api", "base_url", fallback=""))).path.rstrip("/")
    return f"{base}/coldstart/reports/{path}"


class ReportLink(BaseOperatorLink):
    """To the night's report."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """The address of the night's report; empty before the task knows its ds."""
        return _address(f"ds={operator.ds}.html") if operator.ds else ""


class DataDocsLink(BaseOperatorLink):
    """To what a check found, expectation by expectation."""

    name = "Data Docs"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """The address of the task's page of data docs; empty before the task knows its ds."""
        page = f"data-docs/ds={operator.ds}/{operator.task_id}/index.html"
        return _address(page) if operator.ds else ""
