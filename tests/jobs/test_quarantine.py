"""Source rows that break a rule: what is kept of them, and when they are too many."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.steps import ingest
from schemas import utc
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings
from tests.tiny_shop import Source

DS = date(1998, 3, 4)
NOON = 888_926_400  # of March 3, 1998


def _ingest(settings: Settings, ds: date = DS) -> journal.Step:
    with journal.step(settings.journals, "ingest", ds) as record:
        ingest.run(settings, ds, record)
    return record


def _quarantine(settings: Settings) -> list[dict]:
    partition = Lake(root=settings.lake).version("interactions_quarantine", DS)
    return [row for path in partition.glob("*.parquet") for row in pq.read_table(path).to_pylist()]


def _versions(settings: Settings) -> set[Path]:
    return {path.resolve() for path in settings.lake.glob("*/ds=*")}


def test_bad_rows_are_kept_with_their_reason_and_their_line(tiny: Settings, source: Source) -> None:
    bad = {
        f"u1,i5,9,{NOON}": "rating_off_scale",
        f"stranger,i1,3,{NOON}": "unknown_user",
        f"u1,i8,4,{NOON},and more": "unparsable_row",
        'u1,"i8': "unparsable_row",
        "u1,i1": "unparsable_row",
        f"u2,i1,5,{NOON - 86_400}": "duplicate",
        f' "u1",i7,x,{NOON}': "unreadable_rating",
    }
    source.write_lines(*bad, "")
    record = _ingest(tiny)
    found = {row["source_line"]: row["reason"] for row in _quarantine(tiny)}
    assert found == bad
    assert {(row["source_file"], row["source_row"]) for row in _quarantine(tiny)} == {
        ("interactions.csv", None)
    }
    [off_scale] = (row for row in _quarantine(tiny) if row["reason"] == "rating_off_scale")
    as_read = tuple(off_scale[name] for name in ("user_id", "item_id", "rating", "event_time"))
    assert as_read == ("u1", "i5", "9", str(NOON))
    assert (record.rows_in, record.rows_out, record.facts["quarantined"]) == (11, 4, 7)
    reasons = record.facts["quarantined_by_reason"]
    assert list(reasons.items())[:2] == [("unparsable_row", 3), ("duplicate", 1)]
    messages = [entry.get("message", "") for entry in journal.read(tiny.journals, DS)]
    assert any(m.startswith("7 rows quarantined: unparsable_row 3, dup") for m in messages)


def test_a_byte_order_mark_and_foreign_letters(tiny: Settings, source: Source) -> None:
    file = source.folder / "interactions.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes() + b"\xff,i1,3,0\n")
    assert _ingest(tiny).rows_out == 4
    assert [row["source_line"] for row in _quarantine(tiny)] == ["\ufffd,i1,3,0"]


def test_an_event_of_a_later_day_waits_and_one_of_the_years_to_come_is_a_fault(
    tiny: Settings, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = utc.today()
    monkeypatch.setattr(utc, "today", lambda: today)  # also after midnight
    tomorrow = today + timedelta(days=1)
    start = int(datetime.combine(tomorrow, datetime.min.time(), UTC).timestamp())
    source.write_lines(f"u4,i1,3,{start - 1}", f"u4,i2,3,{start}", "u4,i3,3,2540000000")
    record = _ingest(tiny)
    assert {(row["item_id"], row["reason"]) for row in _quarantine(tiny)} == {
        ("i2", "future_event"),
        ("i3", "future_event"),
    }
    assert record.rows_out == 4
    with pytest.raises(UserError, match=rf"\(the last event is of {tomorrow - timedelta(days=1)}"):
        _ingest(tiny, date(1998, 2, 1))


def test_rows_of_parquet_are_kept_with_their_number(tiny: Settings, source: Source) -> None:
    source.respell(('file = "interactions.csv"', 'file = "picks.parquet"\nformat = "parquet"'))
    table = pa.table(
        {"who": ["u1", "u9"], "what": ["i1", "i1"], "stars": [3, 3], "when": [NOON] * 2}
    )
    pq.write_table(table, source.folder / "picks.parquet")
    _ingest(tiny)
    [row] = _quarantine(tiny)
    place = (row["source_file"], row["source_row"], row["source_line"], row["reason"])
    assert place == ("picks.parquet", 1, None, "unknown_user")


def test_too_many_bad_rows_leave_the_lake_as_it_was(tiny: Settings, source: Source) -> None:
    source.respell(("max_quarantined_fraction = 1", "max_quarantined_fraction = 0.3"))
    source.write_lines("u1,i1")
    _ingest(tiny)  # 1 of 5
    before = _versions(tiny)
    strangers = [f"s{n},i1,3,{NOON}" for n in range(4)]
    source.write_lines(*strangers, f"u5,i5,3,{NOON}")
    (source.folder / "users.csv").write_text("who,town\nu1,Elsewhere\nu2,T\nu3,T\nu5,T\n")
    with pytest.raises(UserError) as error:
        _ingest(tiny)
    message = str(error.value)
    assert (
        "5 of 10 interactions that were read (50.00%) break a rule, and the dataset spec allows "
        "30.00%" in message
    )
    assert "nothing was written, the lake keeps what it had" in message
    assert "\n  unknown_user: 4 rows, for example\n    interactions.csv: s0,i1,3,8" in message
    assert "s2,i1" in message
    assert "s3,i1" not in message
    assert "\n  unparsable_row: 1 rows, for example\n    interactions.csv: u1,i1\n" in message
    assert "raise max_quarantined_fraction there" in message
    assert str(source.folder / "dataset.toml") in message
    assert _versions(tiny) == before
    source.respell(("max_quarantined_fraction = 0.3", "max_quarantined_fraction = 0.5"))
    _ingest(tiny)
    assert _versions(tiny) != before
