"""What the report takes for the night, stage after stage, is what the DAG runs."""

from __future__ import annotations

import pytest
from airflow.dag_processing.dagbag import DagBag

from jobs.report.attempts import STEPS
from schemas.pipeline import NIGHT, REPORT
from schemas.run.settings import REPOSITORY


@pytest.fixture(scope="module")
def downstream() -> dict[str, set[str]]:
    """The tasks after each task of the night, without the report, which is about the others."""
    tasks = DagBag(str(REPOSITORY / "dags")).dags["coldstart_nightly"].tasks
    report = REPORT.name
    return {t.task_id: t.downstream_task_ids - {report} for t in tasks if t.task_id != report}


def test_the_report_has_every_task(downstream: dict[str, set[str]]) -> None:
    assert sorted(STEPS) == sorted(downstream)


def test_every_edge_leads_to_a_later_stage(downstream: dict[str, set[str]]) -> None:
    stage_of = {step.name: step.stage for step in NIGHT}
    for step, after in downstream.items():
        for later in after:
            assert stage_of[later] > stage_of[step], f"{later} comes after {step}"
