import json
import subprocess
import sys

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from schemas.settings import REPOSITORY

DAGS = REPOSITORY / "dags"
EDGES = {
    "ingest": {"check_interactions"},
    "check_interactions": {"build_profiles"},
    "build_profiles": {"build_episodes", "build_metapaths"},
    "build_episodes": {"check_features"},
    "build_metapaths": {"check_features"},
    "check_features": {"meta_train"},
    "meta_train": {"evaluate"},
    "evaluate": {"gate"},
    "gate": {"select_evidence", "score_cold_users"},
    "select_evidence": {"check_outputs"},
    "score_cold_users": {"check_outputs"},
    "check_outputs": {"publish"},
    "publish": set(),
}
COMMANDS = {
    "ingest": "jobs ingest --ds D",
    "check_interactions": "jobs check-interactions --ds D",
    "build_profiles": "jobs build-profiles --ds D",
    "build_episodes": "jobs build-episodes --ds D",
    "build_metapaths": "jobs build-metapaths --ds D",
    "check_features": "jobs check-features --ds D",
    "meta_train": "meta_model train --ds D --model M",
    "evaluate": "meta_model evaluate --ds D --model M",
    "gate": "jobs gate --ds D --model M",
    "select_evidence": "meta_model evidence --ds D --model M",
    "score_cold_users": "meta_model score --ds D --model M",
    "check_outputs": "jobs check-outputs --ds D --model M",
    "publish": "jobs publish --ds D --model M",
}
PARSE_IN_A_FRESH_PROCESS = """
import json, sys, time
import airflow.sdk, airflow.providers.standard.hooks.subprocess
sys.path[:0] = sys.argv[1:]
started = time.perf_counter()
import coldstart_nightly
print(json.dumps([time.perf_counter() - started, sorted({m.split(".")[0] for m in sys.modules})]))
"""


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(str(DAGS))


@pytest.fixture(scope="module")
def dag(bag: DagBag) -> DAG:
    return bag.dags["coldstart_nightly"]


def test_the_folder_holds_exactly_the_one_dag(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == {"coldstart_nightly"}


def test_edges(dag: DAG) -> None:
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == EDGES


def test_commands(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLDSTART_PYTHON", "python")
    found = {task.task_id: " ".join(task.argv("D", "M")) for task in dag.tasks}
    assert found == {task_id: f"python -m {command}" for task_id, command in COMMANDS.items()}


def test_the_dag_and_each_task_say_what_they_are(dag: DAG) -> None:
    assert "nightly cold-start pipeline" in dag.doc_md
    assert [task.task_id for task in dag.tasks if not task.doc_md] == []
    assert dag.params.dump() == {"ds": None, "model": "melu"}
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.schema["title"]
        assert param.description


def test_a_run_covers_the_day_of_its_logical_date(dag: DAG) -> None:
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"
    assert dag.catchup is False


def test_parsing_is_fast_and_imports_no_compute() -> None:
    command = [sys.executable, "-c", PARSE_IN_A_FRESH_PROCESS, str(REPOSITORY), str(DAGS)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, modules = json.loads(answer.stdout.splitlines()[-1])
    compute = {"pyspark", "torch", "great_expectations", "pandas", "jobs", "meta_model"}
    assert compute & set(modules) == set()
    assert seconds < 1
