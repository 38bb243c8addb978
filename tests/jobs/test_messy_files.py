"""Files as people have them: each is read as its plain twin would be, or refused in words."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.steps import ingest
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings
from tests.tiny_shop import Source

DS = date(1998, 3, 4)
NOON = 888_926_400  # of March 3, 1998
AT = datetime(1998, 3, 3, 12, tzinfo=UTC)
PLAIN = "who,what,stars,when\nu1,i1,3,888926400\n"


def _ingest(settings: Settings) -> journal.Step:
    with journal.step(settings.journals, "ingest", DS) as record:
        ingest.run(settings, DS, record)
    return record


def _rows(settings: Settings, table: str, day: int = 4) -> list[dict]:
    partition = Lake(root=settings.lake).version(table, date(1998, 3, day))
    return [row for path in partition.glob("*.parquet") for row in pq.read_table(path).to_pylist()]


def test_a_line_break_within_quotes_forges_no_row(tiny: Settings, source: Source) -> None:
    file = source.folder / "interactions.csv"
    file.write_text(
        "who,what,stars,when,review\n"
        f'u1,i1,3,{NOON},"so bad\nu2,i2,5,{NOON},says somebody else"\n'
        f'u3,i3,4,{NOON},"fine, ""really"""\n'
        f'u4,i4,4,{NOON},"a stray quote that nothing ends\nu5,i5,4,{NOON},good\n'
    )
    items = source.folder / "items.csv"
    items.write_text(items.read_text() + 'i9,"Thing,\nthe second edition",red\n')
    record = _ingest(tiny)
    assert sorted(row["user_id"] for row in _rows(tiny, "interactions", 3)) == ["u3", "u5"]
    assert {row["reason"] for row in _rows(tiny, "interactions_quarantine")} == {"unparsable_row"}
    assert (record.rows_in, record.facts["quarantined"]) == (5, 3)
    [told] = record.facts["warnings"]
    assert "items.csv: 2 rows have more or fewer columns" in told
    assert "1 of them have no what and are left out" in told
    assert "say multiline = true" in told


def test_with_multiline_such_rows_are_read(tiny: Settings, source: Source) -> None:
    source.respell(('file = "interactions.csv"', 'file = "interactions.csv"\nmultiline = true'))
    (source.folder / "interactions.csv").write_text(
        "who,what,review,stars,when\n"
        f'u1,i1,"so bad\nu2,i2,x,5,{NOON}",3,{NOON}\n'
        f"u3,i3,fine,4,{NOON}\nu4,i4,torn\n"
    )
    record = _ingest(tiny)
    assert sorted(row["user_id"] for row in _rows(tiny, "interactions", 3)) == ["u1", "u3"]
    [torn] = _rows(tiny, "interactions_quarantine")
    assert (torn["source_line"].strip(), torn["reason"]) == ("u4,i4,torn", "unparsable_row")
    assert record.rows_in == 3


def test_with_multiline_a_quote_that_nothing_ends_hides_no_row(
    tiny: Settings, source: Source
) -> None:
    """It makes one record of all that follows: each of its lines is counted, and quarantined."""
    source.respell(('file = "interactions.csv"', 'file = "interactions.csv"\nmultiline = true'))
    swallowed = ['u3,"i3,4,1', "", *(f"u{n},i1,4,{NOON}" for n in range(4, 9))]
    source.write_lines(*swallowed)
    record = _ingest(tiny)
    rows = _rows(tiny, "interactions_quarantine")
    assert sorted(row["source_line"] for row in rows) == sorted(filter(None, swallowed))
    assert {row["reason"] for row in rows} == {"unparsable_row"}
    assert (record.rows_in, record.facts["quarantined"]) == (10, 6)


def test_what_lies_beside_the_data_and_in_which_packing(tiny: Settings, source: Source) -> None:
    """Parts of all kinds in one folder, with columns in another order, and more of them."""
    source.respell(('file = "interactions.csv"', 'file = "[parts] *"'))
    folder = source.folder / "[parts] *"
    (folder / "hour=1").mkdir(parents=True)
    (folder / "plain?.csv").write_text(PLAIN)
    (folder / "plain?.csv.md5").write_text("d41d8cd98f00b204e9800998ecf8427e")
    (folder / ".plain?.csv.crc").write_bytes(b"crc\x00stale")
    (folder / "_SUCCESS").touch()
    (folder / "empty.csv").touch()
    (folder / "header only.csv").write_text("what,who,stars,when\n")
    (folder / "crlf.csv").write_bytes(
        b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").replace("i1", "i2").encode()
    )
    more = "stars,Stars,kilo,kilo,when,what,who,\n3,9,1,2,888926400,i3,u1,0\n"
    (folder / "hour=1" / "größer, mehr.csv").write_text(more)
    (folder / "packed").write_bytes(gzip.compress(PLAIN.replace("i1", "i4").encode()))
    (source.folder / "elsewhere.csv").write_text(PLAIN.replace("i1", "i5"))
    (folder / "linked.csv").symlink_to(source.folder / "elsewhere.csv")
    _ingest(tiny)
    found = {row["item_id"]: row["rating"] for row in _rows(tiny, "interactions", 3)}
    assert found == dict.fromkeys(["i1", "i2", "i3", "i4", "i5"], 3.0)
    assert _rows(tiny, "interactions_quarantine") == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest", "is a ZIP archive or an Excel file; expected text or gzip. Unpack it"),
        (b'{"who": "u1"}\n', "looks like JSON; expected a line of column names"),
        (b"PAR1rest", 'is a Parquet file; say format = "parquet"'),
        (b"\xff\xfew\x00", "cannot be read as UTF-8 text"),
        (b"\x1f\x8bcut", "cannot be read as UTF-8 text"),
        (gzip.compress(b"who,what", mtime=0)[:10] + b"damaged", "cannot be read as UTF-8 text"),
        (b"who," + 200_000 * b"x" + b"\n", "cannot be read as UTF-8 text: field larger than"),
        (b"who,what,stars,when,when\n", r"several columns named \['when'\]"),
    ],
)
def test_what_cannot_be_read_is_reported(source: Source, content: bytes, message: str) -> None:
    from jobs.sources.formats.headers import missing_from  # no Spark is needed to tell
    from schemas.dataset import spec as dataset_spec

    spec = dataset_spec.load(source.folder / "dataset.toml").interactions
    file = source.folder / "interactions.csv"
    file.write_bytes(content)
    with pytest.raises(UserError, match=message):
        raise UserError(missing_from(file, spec, ["who", "what", "stars", "when"]) or "nothing")


def test_flags_of_any_spelling_and_features_of_any_name(tiny: Settings, source: Source) -> None:
    source.respell(
        (
            'town = { kind = "categorical", column = "town" }',
            '"age.group" = { kind = "categorical", column = "age.group" }',
        ),
        (
            'tags = { kind = "multi", column = "tags", separator = ";" }',
            'tags = { kind = "multi", flags = ["red", "new.in", "big"] }',
        ),
    )
    (source.folder / "users.csv").write_text("who,age.group\nu1,18-29\nu2,\nu3,30+\n")
    items = source.folder / "items.csv"
    items.write_text("what,name,red,new.in,big\ni1,A,True,yes,1.0\ni2,B,False,no,\ni3,C,1,0,True\n")
    _ingest(tiny)
    groups = {row["user_id"]: row["age_group"] for row in _rows(tiny, "users")}
    assert groups == {"u1": ["18-29"], "u2": [], "u3": ["30+"]}
    tags = {row["item_id"]: row["tags"] for row in _rows(tiny, "items")}
    assert tags == {"i1": ["red", "new.in", "big"], "i2": [], "i3": ["red", "big"]}
    items.write_text("what,name,red,new.in,big\ni1,A,True,perhaps,1\n")
    with pytest.raises(UserError, match=r"items\.csv: the flag new\.in is 'perhaps' in some row"):
        _ingest(tiny)


def test_a_pattern_that_only_python_knows_is_named(tiny: Settings, source: Source) -> None:
    source.respell(('column = "town" }', "column = \"town\", pattern = '\\q(.)' }"))
    with pytest.raises(UserError, match=r"'.+q\(\.\)' is no regular expression of Java"):
        _ingest(tiny)


def test_files_that_are_named_like_a_days_and_have_none_are_reported(tmp_path: Path) -> None:
    from jobs.sources.files.paths import by_day, of_no_day

    for name in ("2026-02-01", "20260202", "2026-02-30", "2026-2-3", "_SUCCESS", ".2026-02-04"):
        (tmp_path / f"{name}.csv").touch()
    (tmp_path / "users.csv").touch()
    (tmp_path / "2026-02-05.txt").touch()
    assert list(by_day(tmp_path, "{day}.csv", DS.max)) == [date(2026, 2, 1)]
    told = of_no_day(tmp_path, "{day}.csv", ["users.csv"]) or ""
    assert "3 files are not read" in told
    assert ": 2026-02-30.csv, 2026-2-3.csv, 20260202.csv; expected YYYY-MM-DD" in told
    for name in ("2026-02-06.csv.gz", "2026-02-07.CSV"):
        (tmp_path / name).touch()
    assert "5 files are not read" in (of_no_day(tmp_path, "{day}.csv", ["users.csv"]) or "")
    hive = tmp_path / "e" / "ds=__HIVE_DEFAULT_PARTITION__"
    hive.mkdir(parents=True)
    assert "e/ds=__HIVE" in (of_no_day(tmp_path, "e/ds={day}", []) or "")
    hive.rename(tmp_path / "e" / "ds=2026-02-01")
    assert of_no_day(tmp_path, "e/ds={day}", []) is None


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ("uuid() as who", "who as extension<arrow.uuid>"),
        ("interval 1 day as who", r"who as fixed_size_binary\[12\]"),
        ("time '12:00' as who", r"who as time64\[us\]"),
        ("{'id': 1} as who", "who as struct<id: int32>"),
        ("map {'id': 1} as who", "who as map<string, int32"),
    ],
)
def test_a_type_that_spark_cannot_read_is_reported(tmp_path: Path, column: str, found: str) -> None:
    import duckdb

    from jobs.sources.files.paths import Part
    from jobs.sources.reading import problems
    from schemas.dataset.source_files import SourceFile

    file = tmp_path / "picks.parquet"
    duckdb.sql(f"copy (select {column}, 'i1' as what) to '{file}' (format parquet)")
    spec = SourceFile(file=file.name, format="parquet")
    assert list(problems(tmp_path, [Part(path=file)], spec, ["what"])) == [], "nobody needs it"
    [told] = problems(tmp_path, [Part(path=file)], spec, ["who", "what"])
    with pytest.raises(UserError, match=rf"picks\.parquet has {found}.*Write it as text"):
        raise UserError(told)


def test_ratings_between_the_levels_are_kept_and_reported(tiny: Settings, source: Source) -> None:
    source.respell(("rating_scale = [1, 5]", "rating_scale = [-2, 2]\nrating_step = 0.5"))
    (source.folder / "interactions.csv").write_text(
        "who,what,stars,when\n"
        + "".join(
            f"u{n},i1,{stars},{NOON}\n" for n, stars in enumerate((-2, -0.5, 0.3, 1.999, 2.1))
        )
    )
    record = _ingest(tiny)
    found = sorted(row["rating"] for row in _rows(tiny, "interactions", 3))
    assert found == [-2.0, -0.5, 0.3, 1.999]
    assert record.facts["quarantined_by_reason"] == {"rating_off_scale": 1}
    [told] = record.facts["warnings"]
    assert told.startswith("2 ratings lie between the levels of the dataset spec, -2, -1.5, ..., 2")


def test_a_packed_file_that_is_cut_is_named(tiny: Settings, source: Source) -> None:
    file = source.folder / "interactions.csv"
    text = PLAIN + "".join(f"u{n % 9},i{n % 7},3,{NOON + n * n}\n" for n in range(20_000))
    packed = gzip.compress(text.encode())
    file.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(UserError, match=r"interactions\.csv cannot be read to its end"):
        _ingest(tiny)


def test_a_list_where_one_value_is_asked_for_is_reported(tiny: Settings, source: Source) -> None:
    source.respell(('file = "interactions.csv"', 'file = "picks.parquet"\nformat = "parquet"'))
    table = {"who": [["u1", "u2"]], "what": ["i1"], "stars": [[3]], "when": [NOON]}
    pq.write_table(pa.table(table), source.folder / "picks.parquet")
    with pytest.raises(UserError, match=r"picks\.parquet has lists in \['stars', 'who'\]"):
        _ingest(tiny)


def test_what_means_never_and_what_is_no_number(tiny: Settings, source: Source) -> None:
    source.respell(('file = "interactions.csv"', 'file = "picks.parquet"\nformat = "parquet"'))
    table = {
        "who": pa.array([1.0, float("nan"), None, 1.0, 1.0], pa.float64()),
        "what": pa.array(["i1"] * 5),
        "stars": pa.array([3.0, 3.0, 3.0, float("nan"), 3.0]),
        "when": pa.array([AT.replace(tzinfo=None)] * 4 + [datetime(1, 1, 1)], pa.timestamp("us")),  # noqa: DTZ001
    }
    pq.write_table(pa.table(table), source.folder / "picks.parquet")
    (source.folder / "users.csv").write_text("who,town\n1,Town\n")
    reasons = _ingest(tiny).facts["quarantined_by_reason"]
    assert reasons == {"missing_user_id": 2, "event_too_early": 1, "unreadable_rating": 1}


def test_whole_floats_of_text_are_whole_in_every_file(tiny: Settings, source: Source) -> None:
    """As pandas writes a column of numbers, of which some are missing; other texts stay."""
    ids = ("7.0", "-8.00", "9", "007.0", "1.5", "1.0.0", ".0", "v2.0", "1.0E7", "")
    (source.folder / "interactions.csv").write_text(
        "who,what,stars,when\n" + "".join(f"{id_},3,3,{NOON}\n" for id_ in ids)
    )
    known = ("7", "-8", "9.0", "007.0", "1.5", "1.0.0", ".0", "v2.0", "1.0E7")
    (source.folder / "users.csv").write_text("who,town\n" + "".join(f"{id_},\n" for id_ in known))
    (source.folder / "items.csv").write_text("what,name,tags\n3.0,2.0,4.0\n")
    assert _ingest(tiny).facts["quarantined_by_reason"] == {"missing_user_id": 1}
    found = {row["user_id"] for row in _rows(tiny, "interactions", 3)}
    assert found == {"7", "-8", "9", *known[3:]}
    assert _rows(tiny, "items") == [{"item_id": "3", "title": "2.0", "tags": ["4.0"]}]


def test_ids_that_would_be_one_are_reported(tiny: Settings, source: Source) -> None:
    (source.folder / "users.csv").write_text("who,town\n7,\n7.0,\n")
    with pytest.raises(UserError, match=r"user_id is empty or repeated, for example \['7'\]"):
        _ingest(tiny)


@pytest.mark.parametrize(
    ("unit", "text", "hint"),
    [
        ("seconds", "888926400000", 'With time_unit = "milliseconds" the first is of 1998-03-03'),
        ("seconds", "19980303120000", 'With time_unit = "digits" the first is of 1998-03-03'),
        ("nanoseconds", "888926400", 'With time_unit = "seconds" the first is of 1998-03-03'),
    ],
)
def test_a_mistaken_unit_is_reported(
    tiny: Settings, source: Source, unit: str, text: str, hint: str
) -> None:
    source.respell(('event_time = "when"', f'event_time = "when"\ntime_unit = "{unit}"'))
    (source.folder / "interactions.csv").write_text(f"who,what,stars,when\nu1,i1,3,{text}\n")
    with pytest.raises(UserError, match=hint):
        _ingest(tiny)


@pytest.mark.parametrize(
    ("unit", "text"),
    [("microseconds", "888926400000000"), ("nanoseconds", "888926400000000000"),
     ("digits", "19980303120000"), ("digits", "19980303"), ("digits", "1998030312")],
)  # fmt: skip
def test_units(tiny: Settings, source: Source, unit: str, text: str) -> None:
    source.respell(('event_time = "when"', f'event_time = "when"\ntime_unit = "{unit}"'))
    (source.folder / "interactions.csv").write_text(f"who,what,stars,when\nu1,i1,3,{text}\n")
    assert _ingest(tiny).rows_out == 1
    assert len(_rows(tiny, "interactions", 3)) == 1


def test_an_odd_home_and_a_winding_way_to_the_source(tiny: Settings, source: Source) -> None:
    from dataclasses import replace

    folder: Path = source.folder.parent / "s [x]{y} *é%20#+"
    source.folder.rename(folder)
    spec = (folder / "dataset.toml").read_text()
    spec = spec.replace('"interactions.csv"', '"[d]*%41/../d é/ds={day}/x+.csv"')
    (folder / "dataset.toml").write_text(spec)
    (folder / "[d]*%41").mkdir()
    day = folder / "d é" / "ds=1998-03-03"
    day.mkdir(parents=True)
    (day / "x+.csv").write_text(PLAIN)
    quiet = folder / "d é" / "ds=1998-03-04" / "x+.csv"
    quiet.mkdir(parents=True)
    (quiet / "_SUCCESS").touch()
    odd = replace(
        tiny,
        source=folder / ".." / folder.name,
        home=tiny.home / "h [1]{a,b} *?é%41",
    )
    assert _ingest(odd).rows_out == 1
    assert [row["user_id"] for row in _rows(odd, "interactions", 3)] == ["u1"]
    assert _rows(odd, "interactions", 4) == []
    assert _ingest(odd).rows_in == 0, "the files are known again"
