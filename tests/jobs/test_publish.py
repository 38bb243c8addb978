"""Publishing replaces one ds, whole or not at all, and nobody ever sees a half."""

from __future__ import annotations

import shutil
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from jobs.steps import gate, publish
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.projections.arrow import read_partition
from schemas.run import decision, journal
from schemas.run.artefact import Provenance
from schemas.tables.products import EVIDENCE_ITEMS
from tests.jobs.engines import both_engines
from tests.jobs.night import DS, NIGHT, RUN, Night

pytestmark = both_engines

TOMORROW = DS + timedelta(days=1)
LATER = date(1998, 4, 10)
TABLES = ("evidence_items", "cold_user_scores", "model_metrics", "list_quality")


def _rows(night: Night, table: str, ds: date | None = None) -> list[tuple]:
    rows = night.ask(f"SELECT * FROM coldstart.{table}")
    return sorted((row for row in rows if ds in (None, row[0])), key=str)


def _items(night: Night, view: str = "latest_evidence_items") -> list[str]:
    return [item for (item,) in night.ask(f"SELECT item_id FROM coldstart.{view} ORDER BY rank")]


@pytest.mark.usefixtures("long")
def test_the_same_ds_twice_gives_the_same_rows(night, monkeypatch):
    monkeypatch.setenv("COLDSTART_AIRFLOW_RUN_ID", "scheduled__1998-03-31")
    night.publish()
    first = {table: _rows(night, table) for table in TABLES}
    assert [len(first[table]) for table in TABLES] == [2, 3, 8, 18]
    assert first["cold_user_scores"][0] == (
        DS, "u2", 1, "i3", 4.0, 3, True, "melu", RUN["model_version"], RUN["run_id"],
        0.5, 0.1, 3.0, 4.5, "p_like", False,
    )  # fmt: skip
    night.publish()
    assert {table: _rows(night, table) for table in TABLES} == first
    [publication] = _rows(night, "publications")
    assert publication[:8] == (
        DS, "ml-100k", "melu", RUN["model_version"], RUN["run_id"], 2, 3, 8,
    )  # fmt: skip
    assert publication[8:12] == (6, 0, 1, None)  # interactions, late ones, revision, what before
    assert publication[12] < publication[13] < publication[15] <= datetime.now(UTC)
    assert publication[14].startswith("passed: every metric is a finite number")
    assert publication[16] == "scheduled__1998-03-31"


@pytest.mark.usefixtures("long")
def test_what_became_of_the_rows_of_the_source_is_published(night):
    """What the last ingest that ended well says; nothing where none did, as in older releases."""
    columns = "rows_read, rows_kept, rows_quarantined, rows_left_out"
    sql = f"SELECT {columns} FROM coldstart.publications"
    night.publish()
    assert night.ask(sql) == [(None, None, None, None)]
    for read in (8, 10):
        with journal.step(night.settings.journals, "ingest", night.ds) as record:
            rows = {"read": read, "kept": 6, "after ds": read - 8, "not chosen by only": 1}
            record.facts |= {"rows": rows, "quarantined": 1}
    with (
        pytest.raises(OSError, match="full"),
        journal.step(night.settings.journals, "ingest", night.ds),
    ):
        raise OSError("full")
    night.publish()
    assert night.ask(sql) == [(10, 6, 1, 3)]


@pytest.mark.usefixtures("long")
def test_what_late_data_changed_is_visible(night):
    columns = "interactions, late_interactions, revision, replaced_run_id"

    def published():
        return night.ask(f"SELECT {columns} FROM coldstart.publications")

    night.publish()
    night.rows["user_profiles"][0]["n_interactions"] += 3
    night.publish()
    assert published() == [(9, 3, 2, RUN["run_id"])]
    night.publish()
    assert published() == [(9, 3, 2, RUN["run_id"])], "the same once more is no revision"
    night.rows["user_profiles"][0]["n_interactions"] -= 1
    night.publish()
    assert published() == [(8, 2, 3, RUN["run_id"])]


@pytest.mark.usefixtures("long")
def test_one_ds_is_replaced_and_an_older_one_never_becomes_the_latest(night):
    night.ds = LATER
    night.publish()
    later = _rows(night, "evidence_items", LATER)
    night.ds = DS
    night.rows["evidence_items"] = night.rows["evidence_items"][:1]
    night.rows["evidence_items"][0]["item_id"] = "i4"
    night.publish()
    assert _rows(night, "evidence_items", LATER) == later
    assert len(_rows(night, "evidence_items", DS)) == 1
    assert _items(night) == ["i1", "i2"]
    night.ds = LATER
    night.publish()
    assert _items(night) == ["i4"]
    assert len(_rows(night, "publications")) == 2


def test_a_day_without_cold_users_is_published_whole(night):
    night.publish()
    night.ds = LATER
    night.rows["cold_user_scores"] = []
    night.publish()
    assert _items(night, "latest_cold_user_scores") == []
    assert _items(night) == ["i1", "i2"]
    assert len(_rows(night, "cold_user_scores")) == 3


def test_another_data_set_is_refused(night):
    night.publish()
    spec = night.settings.lake / "dataset.toml"
    spec.write_text(spec.read_text().replace('name = "ml-100k"', 'name = "books"'))
    with pytest.raises(
        UserError, match=r"holds the data set 'ml-100k'.*'books'.*COLDSTART_WAREHOUSE"
    ):
        night.publish()


def test_nothing_is_published_without_a_passed_gate_for_this_run(night):
    def publish_now():
        publish.run(night.settings, night.ds, night.record("publish"), "melu")

    night.write()
    with pytest.raises(UserError, match="no gate has decided on ds 1998-03-31"):
        publish_now()
    for row in night.rows["model_metrics"]:
        row["value"] = row["value"] if row["metric"] != "adaptation_gain" else -1.0
    night.write()
    with pytest.raises(UserError, match="the gate refuses melu"):
        gate.run(night.settings, night.ds, night.record("gate"), "melu")
    with pytest.raises(UserError, match=r"the gate refused 1998-03-31\.melu"):
        publish_now()
    night.rows = deepcopy(NIGHT)
    night.write()
    gate.run(night.settings, night.ds, night.record("gate"), "melu")
    file = night.settings.home / "gates" / "ds=1998-03-31.json"
    file.write_text(file.read_text().replace(".melu.", ".maml."))
    with pytest.raises(UserError, match=r"decided on 1998-03-31\.maml\.0123456789ab"):
        publish_now()
    assert not night.settings.warehouse.path.exists()


def test_a_model_that_was_trained_again_is_not_published_under_its_old_name(night):
    night.write()
    gate.run(night.settings, night.ds, night.record("gate"), "melu")
    night.version = "ffffffffffff"
    night.write_model()
    with pytest.raises(UserError, match=r"holds the version ffffffffffff, and the gate chose 1998"):
        publish.run(night.settings, night.ds, night.record("publish"), "melu")
    assert not night.settings.warehouse.path.exists()
    assert decision.champion_day(night.settings, TOMORROW) is None


def test_what_is_published_is_the_champion_of_later_days_alone(night):
    night.publish()
    assert decision.champion_day(night.settings, TOMORROW) == night.ds
    assert decision.champion_day(night.settings, night.ds) is None


def test_the_champion_goes_on_where_the_gate_says_so(night):
    """Published under its own name, it is the champion of the day after as well."""
    night.publish()
    first = RUN["run_id"]
    night.next_day(mae=0.95)
    night.publish()
    sql = "SELECT ds, run_id, gate FROM coldstart.publications ORDER BY ds"
    (_, before, _), (_, after, said) = night.ask(sql)
    assert (before, after) == (first, first)
    assert f"kept the last published model, {first} (the new one failed)" in said
    kept = night.settings.published / "models" / f"ds={TOMORROW}"
    assert Provenance.read(kept).model_version == RUN["model_version"]


def test_the_lists_of_the_day_are_kept_beside_its_model(night):
    """Also where the model is an older day's."""
    night.publish()
    night.next_day(mae=0.95)
    night.rows["evidence_items"][0]["item_id"] = "i4"
    night.publish()
    for ds, items in ((DS, ["i1", "i2"]), (TOMORROW, ["i4", "i2"])):
        kept = night.settings.published / "models" / f"ds={ds}" / "evidence_items"
        rows = read_partition(EVIDENCE_ITEMS, kept).sort_by("rank")
        assert rows["item_id"].to_pylist() == items


def test_a_day_that_is_published_meanwhile_is_not_taken_for_the_champion(night):
    """Days side by side: the gate of a day saw the champion before the day before published."""
    night.publish()
    night.ds = TOMORROW
    night.next_day(mae=0.95)
    night.write()
    gate.run(night.settings, night.ds, night.record("gate"), "melu")
    with Lake(root=night.settings.published).replacing(decision.CHAMPIONS, TOMORROW) as draft:
        shutil.copytree(night.settings.models / "melu" / f"ds={night.ds}", draft.path,
            dirs_exist_ok=True, ignore=shutil.ignore_patterns("_SUCCESS"))  # fmt: skip
        another = replace(Provenance.read(draft.path), model_version="fedcba987654")
        another.write(draft.path)
        draft.rows = 1
    publish.run(night.settings, night.ds, night.record("publish"), "melu")
    kept = night.settings.published / "models" / f"ds={night.ds}"
    assert str(Provenance.read(kept).run_id) == RUN["run_id"]


def test_a_day_without_held_out_tasks_is_published_with_the_champion(night):
    night.publish()
    night.ds, night.version = TOMORROW, "fedcba987654"
    night.rows["model_metrics"] = night.rows["list_quality"] = []
    night.publish()
    sql = "SELECT run_id, model_metrics_rows, gate FROM coldstart.publications WHERE ds = $1"
    [(run_id, rows, said)] = night.ask(sql, TOMORROW)
    assert (run_id, rows) == (RUN["run_id"], 0)
    assert "(the new one failed): user_cold: no tasks of melu that day" in said


def test_the_journal_says_what_consumers_of_the_tables_want_to_know(night):
    night.write()
    gate.run(night.settings, night.ds, night.record("gate"), "melu")
    record = night.record("publish")
    publish.run(night.settings, night.ds, record, "melu")
    assert record.facts["run_id"] == RUN["run_id"]
    assert record.facts["gate"].startswith("passed: ")
    assert record.facts["rows"] == {
        "evidence_items": 2, "evidence_quality": 2, "cold_user_scores": 3, "model_metrics": 8,
        "list_quality": 18,
    }  # fmt: skip
    assert record.facts["metrics"]["mae"] == 0.8


def test_products_of_two_runs_are_refused(night):
    night.rows["cold_user_scores"][0]["run_id"] = "another"
    with pytest.raises(
        UserError, match=r"cold_user_scores of ds 1998-03-31 is of .*another, expected 1998-03"
    ):
        night.publish()
