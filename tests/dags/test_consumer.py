"""The DAG of docs/operations.md that waits for the night, as Airflow reads it."""

from pathlib import Path

import night_steps
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import Asset

from tests.documented.pages import fences


def test_the_dag_that_waits_for_a_table_runs_when_the_table_is_published(tmp_path: Path) -> None:
    [text] = [text for page, text in fences("python") if page == "docs/operations.md"]
    (tmp_path / "consumer.py").write_text(text)
    bag = DagBag(str(tmp_path))
    assert bag.import_errors == {}
    [dag] = bag.dags.values()
    assert [task.task_id for task in dag.tasks] == ["send"]
    [scores] = dag.schedule
    assert isinstance(scores, Asset)
    assert (scores.name, scores.uri) in {(each.name, each.uri) for each in night_steps.PUBLISHED}
