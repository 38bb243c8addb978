"""Rows in, rows out: a row that vanishes between the files and the lake stops the step."""

from __future__ import annotations

from datetime import date
from shutil import rmtree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.sources import daily_files, entities, reading, whole_file
from jobs.sources.formats import delimited, parquet
from jobs.steps import ingest
from schemas.errors import UserError
from schemas.run import journal
from schemas.run.settings import Settings
from tests.tiny_shop import Source

DS = date(1998, 3, 4)
NOON = 888_926_400  # of March 3, 1998


def _ingest(settings: Settings) -> journal.Step:
    with journal.step(settings.journals, "ingest", DS) as record:
        ingest.run(settings, DS, record)
    return record


def _losing(monkeypatch: pytest.MonkeyPatch, module: object, name: str, condition: str) -> None:
    """Let a function of the reading lose the rows that do not meet a condition."""
    whole = getattr(module, name)

    def losing(*arguments: object, **options: object) -> object:
        made = whole(*arguments, **options)
        if isinstance(made, DataFrame):
            return made.where(condition)
        return reading.replace(made, rows=made.rows.where(condition))

    monkeypatch.setattr(module, name, losing)


def test_what_became_of_each_row_is_in_the_journal(tiny: Settings, source: Source) -> None:
    source.respell(('rating = "stars"', 'rating = "stars"\nwithout = { stars = "0" }'))
    source.write_lines("u1,i5,0,1", "", "who,what,stars,when", "u1,i5,9,888926400", "u1,i6,2,1e9")
    facts = _ingest(tiny).facts
    assert facts["rows"] == {
        "read": 7, "not chosen by only and without": 1, "after ds": 1, "kept": 4,
    }  # fmt: skip
    of_interactions = {"quarantined": 1, **facts["rows"]}
    assert facts["rows_of_files"] == {
        "interactions": {"interactions.csv": of_interactions},
        "users": {"users.csv": {"read": 9, "kept": 9}},
        "items": {"items.csv": {"read": 9, "kept": 9}},
    }
    said = [entry.get("message") for entry in journal.read(tiny.journals, DS)]
    assert "7 rows read: 4 kept, 1 not chosen by only and without, 1 after ds" in said


@pytest.mark.parametrize("place", ["lines", "checked", "users"])
def test_a_lost_row_stops_the_step(
    tiny: Settings, source: Source, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Wherever it is lost: behind the parser, behind the rules, or in another file."""
    match place:
        case "lines":
            _losing(monkeypatch, delimited, "read", "who <> 'u2'")
            expected = r"users\.csv: 9 rows came in, and 8 went on"
        case "checked":
            _losing(monkeypatch, whole_file, "with_reasons", "user_id <> 'u2'")
            expected = r"(?s)csv: 4 rows came in, and 3 .*interactions\.csv: 4 rows read, 3 written"
        case _:
            _losing(monkeypatch, entities, "read_file", "town <> 'Ulm' or who <> 'u2'")
            users = source.folder / "users.csv"
            users.write_text(users.read_text().replace("u2,Town", "u2,Ulm"))
            expected = r"users\.csv: 9 rows came in, and 8 went on"
    with pytest.raises(UserError, match=expected):
        _ingest(tiny)
    assert not list(tiny.lake.glob("*/ds=*"))


def test_a_lost_row_of_parquet_stops_the_step(
    tiny: Settings, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.respell(('file = "interactions.csv"', 'file = "picks"\nformat = "parquet"'))
    (source.folder / "picks").mkdir()
    for n, user in enumerate(("u1", "u2")):
        rows = {"who": [user] * 2, "what": ["i1", "i2"], "stars": [3, 3], "when": [NOON] * 2}
        pq.write_table(pa.table(rows), source.folder / "picks" / f"part-{n}.parquet")
    _losing(monkeypatch, parquet, "read", "who <> 'u2'")
    with pytest.raises(UserError, match=r"picks/part-1\.parquet: 2 rows read, 0 written"):
        _ingest(tiny)


def test_what_became_of_the_rows_of_each_file(tiny: Settings, source: Source) -> None:
    """Read, kept, set aside and left out by a rule, file by file, and the rest of them together."""
    source.respell(
        ('file = "interactions.csv"', 'file = "parts"'),
        ('rating = "stars"', 'rating = "stars"\nwithout = { stars = "0" }'),
    )
    (source.folder / "parts").mkdir()
    for n in range(25):
        (source.folder / "parts" / f"{n:02}.csv").write_text(
            f"who,what,stars,when\nu1,i{n % 9},{n % 5 + 1},{NOON + n}\n"
        )
    odd = f"who,what,when,stars\nu1,i1,{NOON},0\nu1,i1,{NOON},0\nu2,i1,{2 * NOON},3\nu2,i1\n"
    (source.folder / "parts" / "odd.csv").write_text(odd)
    (source.folder / "parts" / "header only.csv").write_text("who,what,stars,when\n")
    facts = _ingest(tiny).facts
    found = facts["rows_of_files"]["interactions"]
    assert next(iter(found)) == "parts/odd.csv"
    assert found["parts/odd.csv"] == {
        "read": 4, "not chosen by only and without": 2, "after ds": 1, "kept": 0, "quarantined": 1,
    }  # fmt: skip
    assert found["parts/00.csv"] == {"read": 1, "kept": 1, "quarantined": 0}
    assert found["7 more files of interactions"] == {"read": 6, "kept": 6, "quarantined": 0}
    left_out = {"not chosen by only and without": 2, "after ds": 1}
    assert facts["rows"] == {"read": 29, **left_out, "kept": 25}


def test_a_row_of_one_file_does_not_make_up_for_that_of_another(
    tiny: Settings, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many rows come out as went in, and the files' rows still do not add up."""
    source.respell(('file = "interactions.csv"', 'file = "parts"'))
    (source.folder / "parts").mkdir()
    for name, user in (("a", "u1"), ("b", "u2")):
        (source.folder / "parts" / f"{name}.csv").write_text(
            f"who,what,stars,when\n{user},i1,3,{NOON}\n"
        )
    whole = whole_file.with_reasons

    def exchanging(*arguments: object, **options: object) -> DataFrame:
        return whole(*arguments, **options).withColumn("source_file", F.lit("parts/b.csv"))

    monkeypatch.setattr(whole_file, "with_reasons", exchanging)
    with pytest.raises(
        UserError, match=r"parts/a\.csv: 1 rows read, 0 written\n  parts/b\.csv: 1 "
    ):
        _ingest(tiny)


def test_days_that_give_nothing_at_all_are_no_quiet_days(
    tiny: Settings, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.respell(('file = "interactions.csv"', 'file = "days/{day}.csv"'))
    (source.folder / "days").mkdir()
    for day in (1, 2):
        (source.folder / "days" / f"1998-03-0{day}.csv").write_text("who,what,stars,when\n")
    with pytest.raises(UserError, match=r"has 2 days up to ds, .* no valid interaction"):
        _ingest(tiny)
    first = source.folder / "days" / "1998-03-01.csv"
    first.write_text(f"who,what,stars,when\nu1,i1,3,{NOON}000\n")
    with pytest.raises(UserError, match=r"has 2 days up to ds, .* no valid interaction"):
        _ingest(tiny)
    source.respell(("max_quarantined_fraction = 1", "max_quarantined_fraction = 0.5"))
    with pytest.raises(UserError, match=r'1 of 1 inter(.|\n)*time_unit = "milliseconds"'):
        _ingest(tiny)
    first.write_text(f"who,what,stars,when\nu1,i1,3,{NOON - 2 * 86_400}\n")
    assert _ingest(tiny).rows_out == 1
    rmtree(tiny.home)
    _losing(monkeypatch, daily_files, "read_interactions", "user_id <> 'u1'")
    with pytest.raises(UserError, match=r"days/1998-03-01\.csv: 1 rows read, 0 written"):
        _ingest(tiny)
