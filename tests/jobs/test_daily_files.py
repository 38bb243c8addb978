"""A source with a file a day: what is read of it, and that it is what reading all of it gives."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from shutil import rmtree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.history import numbering
from jobs.steps import ingest
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings
from tests.tiny_shop import Source

NOON = 888_926_400  # of March 3, 1998
DAY_SECONDS = 86_400
ROWS = {
    1: ["u1,i1,3", "u1,i2,4"],
    2: ["u2,i1,5"],
    4: ["u3,i3,1", "u3,i1,9", "stranger,i1,2"],
}


@pytest.fixture
def daily(tiny: Settings, source: Source) -> Settings:
    """The tiny shop with a file a day, none on the third."""
    source.respell(('file = "interactions.csv"', 'file = "days/{day}.csv"'))
    (source.folder / "days").mkdir()
    for day, rows in ROWS.items():
        _write(tiny, day, *rows)
    return tiny


def _write(settings: Settings, day: int, *rows: str) -> None:
    """Replace the day's file, as a source would: written anew, at a later time."""
    file = settings.source / "days" / f"1998-03-{day:02}.csv"
    written = file.stat().st_mtime_ns if file.exists() else 0
    when = NOON + (day - 3) * DAY_SECONDS
    lines = [row if row.count(",") > 2 else f"{row},{when}" for row in rows]
    file.write_text("\n".join(["who,what,stars,when", *lines, ""]))
    os.utime(file, ns=(written + 1, written + 1))


def _ingest(settings: Settings, day: int) -> journal.Step:
    ds = date(1998, 3, day)
    with journal.step(settings.journals, "ingest", ds) as record:
        ingest.run(settings, ds, record)
    return record


def _lake(settings: Settings) -> dict[str, list[dict]]:
    """The rows of every day of every table."""
    links = sorted(settings.lake.glob("[!.]*/ds=*"))
    return {
        str(link.relative_to(settings.lake)): [
            row for file in sorted(link.glob("*.parquet"))
            for row in pq.read_table(file, partitioning=None).to_pylist()
        ]
        for link in links
    }  # fmt: skip


def _from_scratch(settings: Settings, *days: int) -> dict[str, list[dict]]:
    rmtree(settings.home)
    for day in days:
        _ingest(settings, day)
    return _lake(settings)


def test_a_night_reads_the_files_that_are_new(daily: Settings) -> None:
    assert _ingest(daily, 2).rows_in == 3
    versions = Lake(root=daily.lake)
    before = versions.version("interactions", date(1998, 3, 1))
    record = _ingest(daily, 4)
    assert (record.rows_in, record.rows_out) == (3, 4)
    assert versions.version("interactions", date(1998, 3, 1)) == before
    assert _ingest(daily, 4).rows_in == 0
    assert _lake(daily) == _from_scratch(daily, 2, 4)


def test_what_is_set_aside_is_kept_with_its_own_day(daily: Settings) -> None:
    _ingest(daily, 4)
    _write(daily, 2, "u2,i1,5", f"u2,i2,5,{NOON}", "u2")
    _ingest(daily, 4)
    found = {
        name: [(row["reason"], row["source_file"], row["source_line"]) for row in rows]
        for name, rows in _lake(daily).items()
        if name.startswith("interactions_quarantine")
    }
    assert found == {
        "interactions_quarantine/ds=1998-03-01": [],
        "interactions_quarantine/ds=1998-03-02": [
            ("unparsable_row", "days/1998-03-02.csv", f"u2,{NOON - DAY_SECONDS}"),
            ("event_of_another_day", "days/1998-03-02.csv", f"u2,i2,5,{NOON}"),
        ],
        "interactions_quarantine/ds=1998-03-04": [
            ("unknown_user", "days/1998-03-04.csv", f"stranger,i1,2,{NOON + DAY_SECONDS}"),
            ("rating_off_scale", "days/1998-03-04.csv", f"u3,i1,9,{NOON + DAY_SECONDS}"),
        ],
    }


def test_late_events_and_lost_files_change_their_days_alone(daily: Settings) -> None:
    _ingest(daily, 4)
    _write(daily, 2, "u2,i1,5", "u4,i4,2")
    (daily.source / "days" / "1998-03-01.csv").unlink()
    record = _ingest(daily, 4)
    assert (record.rows_in, record.rows_out) == (2, 3)
    lake = _lake(daily)
    assert lake["interactions/ds=1998-03-01"] == lake["user_days/ds=1998-03-01"] == []
    assert [row["user_id"] for row in lake["user_days/ds=1998-03-02"]] == ["u2", "u4"]
    scratch = _from_scratch(daily, 4)
    assert {name: rows for name, rows in lake.items() if rows} == {
        name: rows for name, rows in scratch.items() if rows
    }


def test_many_lost_days_stop_the_step(daily: Settings, source: Source) -> None:
    """Files that were packed look as if they were gone; the lake keeps what it had."""
    _ingest(daily, 4)
    before = _lake(daily)
    source.respell(("max_vanished_fraction = 1", "max_vanished_fraction = 0.4"))
    first, second = (daily.source / "days" / f"1998-03-0{day}.csv" for day in (1, 2))
    first.rename(f"{first}.gz")
    with pytest.raises(UserError, match=r"2 interactions of 1998-03-01 \(50.00% .* 40.00%") as told:
        _ingest(daily, 4)
    assert "1 files are not read" in str(told.value)
    assert "days/1998-03-01.csv.gz" in str(told.value)
    assert "raise max_vanished_fraction in" in str(told.value)
    assert _lake(daily) == before
    Path(f"{first}.gz").rename(first)
    assert _ingest(daily, 4).rows_in == 0, "the spec reads the days as before"
    second.write_text("who,what,stars,when\n")
    [warning] = _ingest(daily, 4).facts["warnings"]
    assert "1 interactions of 1998-03-02 are no longer in the source" in warning


def test_a_file_that_is_written_again_changes_no_history(daily: Settings) -> None:
    """It is read again; its rows are the same, so what is made of them stays in force."""
    _ingest(daily, 4)
    lake = Lake(root=daily.lake)
    before = numbering.of_interactions(lake, date(1998, 3, 4))
    file = daily.source / "days" / "1998-03-01.csv"
    os.utime(file, (1, 1))
    assert _ingest(daily, 4).rows_in > 0
    assert numbering.of_interactions(lake, date(1998, 3, 4)) == before
    file.write_text(file.read_text().replace(",i1,", ",i2,"))
    _ingest(daily, 4)
    assert numbering.of_interactions(lake, date(1998, 3, 4)) != before


def test_known_and_vanished_users_change_the_days_they_are_on(
    daily: Settings, source: Source
) -> None:
    _ingest(daily, 4)
    users = source.folder / "users.csv"
    users.write_text(users.read_text().replace("u2,Town\n", "stranger,Town\n"))
    assert _ingest(daily, 4).rows_in == 1 + 3  # u2's day, and the stranger's
    lake = _lake(daily)
    assert lake["interactions/ds=1998-03-02"] == []
    assert [r["user_id"] for r in lake["interactions/ds=1998-03-04"]] == ["stranger", "u3"]
    assert lake == _from_scratch(daily, 4)


def test_a_changed_spec_reads_every_file_again(daily: Settings, source: Source) -> None:
    _ingest(daily, 4)
    source.respell(("rating_scale = [1, 5]", "rating_scale = [1, 9]"))
    record = _ingest(daily, 4)
    assert (record.rows_in, record.rows_out) == (6, 5)


def test_a_run_that_was_killed_between_tables_is_made_good(daily: Settings) -> None:
    _ingest(daily, 4)
    whole = _lake(daily)
    (daily.lake / "item_days" / "ds=1998-03-02").unlink()
    _ingest(daily, 4)
    assert _lake(daily) == whole


def test_folders_of_parquet_files(daily: Settings, source: Source) -> None:
    source.respell(
        ('file = "days/{day}.csv"', 'file = "parts/ds={day}"\nformat = "parquet"'),
    )
    for day, rows in ROWS.items():
        columns = list(zip(*(row.split(",") for row in rows), strict=True))
        when = [NOON + (day - 3) * DAY_SECONDS] * len(rows)
        folder: Path = source.folder / "parts" / f"ds=1998-03-{day:02}"
        folder.mkdir(parents=True)
        names = ("who", "what", "stars", "when")
        table = dict(zip(names, (*columns, when), strict=True))
        pq.write_table(pa.table({n: list(v) for n, v in table.items()}), folder / "part-0.parquet")
        (folder / "_SUCCESS").touch()
    record = _ingest(daily, 4)
    assert (record.rows_in, record.rows_out) == (6, 4)
    [unknown, _] = _lake(daily)["interactions_quarantine/ds=1998-03-04"]
    assert unknown["source_file"] == "parts/ds=1998-03-04/part-0.parquet"


def test_days_that_do_not_fit(daily: Settings, source: Source) -> None:
    for file in (source.folder / "days").iterdir():
        file.rename(file.with_stem(file.stem.replace("-03-", "-04-")))
    with pytest.raises(UserError, match=r"no file days/\{day\}.csv of a day up to ds 1998-03-04"):
        _ingest(daily, 4)
    (source.folder / "days" / "1998-03-01.csv").write_text("who,what,stars,when\n")
    (source.folder / "days" / "1998-03-02.csv").write_text("who,what,when,stars\n")
    with pytest.raises(UserError, match=r"has 2 days up to ds, .* no valid interaction"):
        _ingest(daily, 4)


def test_what_retention_removed_of_a_night_comes_back_with_it(daily: Settings) -> None:
    for day in (2, 4):
        _ingest(daily, day)
    before = _lake(daily)
    for day in (2, 4):
        Lake(root=daily.lake).remove("interactions_quarantine", date(1998, 3, day))
    assert _ingest(daily, 4).rows_in == len(ROWS[4]), "the other days' files are left alone"
    _ingest(daily, 2)
    assert _lake(daily) == before
