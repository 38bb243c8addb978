"""The report judges by the order of the night that the DAG has."""

from __future__ import annotations

import pytest
from airflow.dag_processing.dagbag import DagBag

from jobs.report.attempts import STAGES, STEPS
from schemas.settings import REPOSITORY

REPORT = "report"  # which tells of the others, and not of itself


@pytest.fixture(scope="module")
def downstream() -> dict[str, set[str]]:
    """The tasks after each task of the night."""
    bag = DagBag(str(REPOSITORY / "dags"))
    tasks = bag.dags["coldstart_nightly"].tasks
    return {t.task_id: t.downstream_task_ids - {REPORT} for t in tasks if t.task_id != REPORT}


def test_the_stages_hold_the_tasks_of_the_night(downstream: dict[str, set[str]]) -> None:
    assert sorted(STEPS) == sorted(downstream)


def test_every_edge_leads_to_a_later_stage(downstream: dict[str, set[str]]) -> None:
    stage_of = {step: number for number, stage in enumerate(STAGES) for step in stage}
    for step, after in downstream.items():
        for later in after:
            assert stage_of[later] > stage_of[step], f"{later} comes after {step}"
