"""From when a night's deadline counts: the end of its day.

A run's own start would not do. A run whose deadline counts from when it was queued cannot be
cleared in Airflow 3.3 (apache/airflow#70368: Internal Server Error), and clearing is what a person
does to a night that failed. And a night that a scheduler starts hours late is late.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk.definitions.deadline import BaseDeadlineReference
from sqlalchemy import select

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class EndOfDay(BaseDeadlineReference):
    """The end of a scheduled run's data interval; backfills and runs by hand are never late."""

    required_kwargs = frozenset({"dag_id", "run_id"})

    def _evaluate_with(self, *, session: Session, dag_id: str, run_id: str) -> datetime | None:
        from airflow.models import DagRun  # Airflow's own processes may ask its database, DAGs not

        run = select(DagRun.data_interval_end).where(
            DagRun.dag_id == dag_id, DagRun.run_id == run_id, DagRun.run_type == "scheduled"
        )
        return session.scalar(run)


class Deadlines(AirflowPlugin):
    """Registers it by its name: Airflow's scheduler and API server make it from that."""

    name = "coldstart_deadline"
    deadline_references = [EndOfDay]  # noqa: RUF012
