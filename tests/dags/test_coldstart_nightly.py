import importlib
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import night_settings
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.exceptions import ParamValidationError

from schemas.run.settings import REPOSITORY
from schemas.tables.products import WAREHOUSE_TABLES

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
    "publish": {"report"},
    "report": set(),
}
MODEL = "--model ridge"
TRAINER = "python -m meta_model"
COMMANDS = {
    "ingest": "jobs ingest --ds D",
    "check_interactions": "jobs check_interactions --ds D",
    "build_profiles": "jobs build_profiles --ds D",
    "build_episodes": "jobs build_episodes --ds D",
    "build_metapaths": "jobs build_metapaths --ds D",
    "check_features": "jobs check_features --ds D",
    "meta_train": f"meta_model meta_train --ds D {MODEL}",
    "evaluate": f"meta_model evaluate --ds D {MODEL}",
    "gate": f"jobs gate --ds D {MODEL} --choose compare",
    "select_evidence": f"meta_model select_evidence --ds D {MODEL}",
    "score_cold_users": f"meta_model score_cold_users --ds D {MODEL}",
    "check_outputs": f"jobs check_outputs --ds D {MODEL}",
    "publish": f"jobs publish --ds D {MODEL}",
    "report": f"jobs report --ds D {MODEL}",
}
PARSE_IN_A_FRESH_PROCESS = """
import json, sys, time
import airflow.sdk, airflow.providers.standard.hooks.subprocess
sys.path[:0] = sys.argv[1:]
started = time.process_time()  # a busy machine takes longer by the clock
import coldstart_nightly
print(json.dumps([time.process_time() - started, sorted({m.split(".")[0] for m in sys.modules})]))
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


def _commands(dag: DAG, **params: object) -> dict[str, str]:
    given = {**dag.params.dump(), **params}
    return {task.task_id: " ".join(task.argv("D", given)) for task in dag.tasks}


def test_commands(dag: DAG, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLDSTART_PYTHON", "python")
    expected = {task_id: f"python -m {command}" for task_id, command in COMMANDS.items()}
    assert _commands(dag) == expected


def test_what_a_person_chooses_reaches_the_step_it_is_for(
    dag: DAG, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLDSTART_PYTHON", "python")
    chosen = {"dataset": "toys", "epochs": 3, "top_k": 7, "evidence_items": 9, "gate": "champion"}
    chosen |= {"rank_by": "choice"}
    before, after = _commands(dag), _commands(dag, **chosen)
    assert {name: after[name] for name in after if after[name] != before[name]} == {
        "ingest": "python -m jobs ingest --ds D --dataset toys",
        "meta_train": f"{TRAINER} meta_train --ds D {MODEL} --epochs 3 --rank-by choice",
        "gate": f"python -m jobs gate --ds D {MODEL} --choose champion",
        "select_evidence": f"{TRAINER} select_evidence --ds D {MODEL} --evidence-items 9",
        "score_cold_users": f"{TRAINER} score_cold_users --ds D {MODEL} --top-items 7",
    }


@pytest.mark.parametrize(
    "wrong", [{"epochs": 0}, {"top_k": 1001}, {"model": "; touch hacked"}, {"gate": "open"},
              {"rank_by": "stars"},
              {"publish": "yes"}, {"ds": "31.3.1998"}],
)  # fmt: skip
def test_what_no_step_could_use_is_refused_by_the_form(dag: DAG, wrong: dict[str, object]) -> None:
    for name, value in wrong.items():
        with pytest.raises(ParamValidationError):
            dag.params.get_param(name).resolve(value)


def test_the_form_begins_with_what_the_team_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "coldstart.toml"
    file.write_text('retries = 5\n[run]\nmodel = "mamo"\ntop_k = 50\nrank_by = "choice"\n')
    with monkeypatch.context() as patched:
        patched.setenv("COLDSTART_CONFIG", str(file))
        patched.setenv("COLDSTART_DEADLINE_HOURS", "0")
        importlib.reload(night_settings)
        found = {name: param.value for name, param in night_settings.PARAMS.items()}
        retries, deadline = night_settings.DEFAULT_ARGS["retries"], night_settings.DEADLINE
    importlib.reload(night_settings)
    assert found["model"] == "mamo"
    assert found["top_k"] == 50
    assert found["rank_by"] == "choice"
    assert (retries, deadline) == (5, None)


def test_where_tasks_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLDSTART_GPU_QUEUE", "gpus")
    dag = DagBag(str(DAGS)).dags["coldstart_nightly"]
    pools: dict[str, set[str]] = {}
    for task in dag.tasks:
        pools.setdefault(task.pool, set()).add(task.task_id)
    on_gpu = {"meta_train", "evaluate", "select_evidence", "score_cold_users"}
    assert pools == {
        "gpu": on_gpu,
        "spark": {task_id for task_id in COMMANDS if task_id.startswith(("build", "check"))}
        | {"ingest"},
        "default_pool": {"gate", "publish", "report"},
    }
    assert {task.task_id for task in dag.tasks if task.queue == "gpus"} == on_gpu
    declared = json.loads((DAGS / "pools.json").read_text())
    assert declared.keys() == pools.keys() - {"default_pool"}
    assert declared["gpu"]["slots"] == 1


def test_faults_that_may_pass_are_tried_again_and_nothing_takes_forever(dag: DAG) -> None:
    for task in dag.tasks:
        assert task.retries == 3
        assert task.retry_delay == timedelta(minutes=1)
        assert task.retry_exponential_backoff == 2.0
        assert task.execution_timeout.total_seconds() == 6 * 3600
        assert task.has_on_failure_callback
    [deadline] = dag.deadline if isinstance(dag.deadline, list) else [dag.deadline]
    assert deadline.interval.total_seconds() == 6 * 3600
    assert dag.max_active_runs == 4


def test_a_broken_night_has_a_report_and_stays_broken(dag: DAG) -> None:
    report = dag.get_task("report")
    assert report.is_teardown
    assert not report.on_failure_fail_dagrun  # else it alone decides, and it succeeds
    assert [task.task_id for task in dag.tasks if task.is_teardown] == ["report"]


def test_lineage_leads_from_the_source_to_what_is_published(dag: DAG) -> None:
    """Whatever a step reads, one before it has made; and nothing is made that none reads."""
    made: set[str] = set()
    read: set[str] = set()
    for task in dag.topological_sort():
        if task.task_id != "build_episodes":  # it reads the user histories of the night before
            assert {asset.uri for asset in task.inlets} <= made, task.task_id
        read |= {asset.uri for asset in task.inlets}
        made |= {asset.uri for asset in task.outlets}
    assert read == {uri for uri in made if "/lake/" in uri}
    tables = {table.name for table in WAREHOUSE_TABLES}
    assert {uri for uri in made if "warehouse" in uri} == {
        f"coldstart://warehouse/{table}" for table in tables
    }


def test_the_dag_and_each_task_say_what_they_are(dag: DAG) -> None:
    assert "nightly cold-start pipeline" in dag.doc_md
    assert [task.task_id for task in dag.tasks if not task.doc_md] == []
    assert dag.params.dump() == {
        **{"ds": None, "model": "ridge", "dataset": None, "epochs": None, "top_k": None},
        **{"rank_by": None},
        **{"evidence_items": None, "gate": "compare", "publish": True},
    }
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.schema["title"]
        assert param.description


def test_a_run_covers_the_day_of_its_logical_date(dag: DAG) -> None:
    assert type(dag.timetable).__name__ == "CronDataIntervalTimetable"
    assert dag.catchup is False


@pytest.mark.usefixtures("process")
def test_parsing_is_fast_and_imports_no_compute() -> None:
    command = [sys.executable, "-c", PARSE_IN_A_FRESH_PROCESS, str(REPOSITORY), str(DAGS)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, modules = json.loads(answer.stdout.splitlines()[-1])
    compute = {"pyspark", "torch", "great_expectations", "pandas", "jobs", "meta_model"}
    assert compute & set(modules) == set()
    assert seconds < 1
