"""Settings of an environment without a file of the team; the journal keeps what steps say."""

from __future__ import annotations

import resource
from datetime import date

import pytest

from schemas.errors import UserError
from schemas.run import journal
from schemas.run.settings import REPOSITORY, Settings, parse_ds

DS = date(1998, 3, 31)


def test_defaults_lie_in_one_ignored_folder():
    settings = Settings.from_environment({})
    assert settings.home == REPOSITORY / "var"
    assert settings.warehouse.path == REPOSITORY / "var" / "warehouse.duckdb"
    assert settings.source == REPOSITORY / "var" / "datasets" / "ml-100k"
    assert settings.spark == "local[*]"


def test_two_homes_share_nothing(tmp_path):
    one, two = (Settings.from_environment({"COLDSTART_HOME": str(tmp_path / n)}) for n in "ab")
    assert one.warehouse.path.is_relative_to(tmp_path / "a")
    assert two.warehouse.path.is_relative_to(tmp_path / "b")
    for name in ("home", "source", "lake", "models", "data_docs", "journals"):
        assert getattr(one, name).is_relative_to(tmp_path / "a")
        assert getattr(two, name).is_relative_to(tmp_path / "b")


def test_empty_variables_count_as_unset():
    names = ("COLDSTART_HOME", "COLDSTART_SOURCE", "COLDSTART_WAREHOUSE", "COLDSTART_SPARK")
    assert Settings.from_environment(dict.fromkeys(names, "")) == Settings.from_environment({})


def test_properties_of_spark_come_from_a_file(tmp_path):
    file = tmp_path / "spark.properties"
    file.write_text("# of a small machine\n\nspark.driver.memory = 2g\nspark.x.options=-Da=b\n")
    settings = Settings.from_environment({"COLDSTART_SPARK_PROPERTIES": str(file)})
    assert settings.spark_properties == {"spark.driver.memory": "2g", "spark.x.options": "-Da=b"}
    assert Settings.from_environment({}).spark_properties == {}


@pytest.mark.parametrize("line", ["spark.driver.memory 2g", "memory=2g", "spark.master=local"])
def test_a_line_that_is_no_property_of_spark_is_named(tmp_path, line):
    file = tmp_path / "spark.properties"
    file.write_text(f"spark.ui.enabled=true\n{line}\n")
    with pytest.raises(UserError, match=f"line 2 of {file} is '{line}'; expected spark.NAME"):
        Settings.from_environment({"COLDSTART_SPARK_PROPERTIES": str(file)})
    with pytest.raises(UserError, match="cannot be read: No such file"):
        Settings.from_environment({"COLDSTART_SPARK_PROPERTIES": f"{file}.not"})
    file.write_bytes(b"spark.x=\xff")
    with pytest.raises(UserError, match="cannot be read: it is not UTF-8"):
        Settings.from_environment({"COLDSTART_SPARK_PROPERTIES": str(file)})


@pytest.mark.parametrize("text", ["1998-3-31", "19980331", "1998-02-30", "today", "", "1998-W14-2"])
def test_a_wrong_ds(text):
    with pytest.raises(
        UserError, match=f"ds is '{text}', which is not a date; expected YYYY-MM-DD"
    ):
        parse_ds(text)


def test_a_ds():
    assert parse_ds("1998-03-31") == DS


def test_a_step_that_ends_well(tmp_path):
    with journal.step(tmp_path, "ingest", DS) as record:
        record.progress("half way")
        record.rows_in, record.rows_out = 10, 9
        record.facts["quarantined"] = 1
    entries = journal.read(tmp_path, DS)
    assert [entry["event"] for entry in entries] == ["started", "progress", "finished"]
    assert entries[1]["message"] == "half way"
    assert (entries[2]["rows_in"], entries[2]["rows_out"], entries[2]["quarantined"]) == (10, 9, 1)
    assert {entry["step"] for entry in entries} == {"ingest"}


def test_a_step_that_fails(tmp_path):
    with pytest.raises(UserError), journal.step(tmp_path, "gate", DS):
        raise UserError("no")
    with pytest.raises(KeyboardInterrupt), journal.step(tmp_path, "gate", DS):
        raise KeyboardInterrupt
    failed = [entry for entry in journal.read(tmp_path, DS) if entry["event"] == "failed"]
    assert [entry["message"] for entry in failed] == ["no", "KeyboardInterrupt"]


def test_an_entry_that_a_full_disk_cut_short_is_passed_over(tmp_path):
    """Here a limit on the size of files ends the write, as a full disk would."""
    with journal.step(tmp_path, "ingest", DS) as record:
        size = journal.path(tmp_path, DS).stat().st_size
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, before[1]))
        try:
            with pytest.raises(OSError, match=r"No space left on device.*1998-03-31\.jsonl"):
                record.progress("half way")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert journal.path(tmp_path, DS).stat().st_size == size + 20
        record.progress("there is room again")
    found = journal.read(tmp_path, DS)
    assert [entry["event"] for entry in found] == ["started", "progress", "finished"]
    assert found[1]["message"] == "there is room again"


def test_no_journal_yet(tmp_path):
    assert journal.read(tmp_path, DS) == []
