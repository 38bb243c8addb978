"""Ingest on a tiny source: which days it writes, and what it says of bad input."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs.steps import ingest
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings
from tests.tiny_shop import SPEC, Source


def march(day: int) -> date:
    return date(1998, 3, day)


def _ingest(settings: Settings, day: int) -> journal.Step:
    with journal.step(settings.journals, "ingest", march(day)) as record:
        ingest.run(settings, march(day), record)
    return record


def _versions(settings: Settings) -> dict[int, Path]:
    """The version in force of each day's interactions."""
    lake = Lake(root=settings.lake)
    days = lake.days("interactions", until=march(31))
    return {day.day: lake.partition("interactions", day).resolve() for day in days}


def _rows(settings: Settings, table: str, day: int) -> list[dict]:
    partition = Lake(root=settings.lake).partition(table, march(day)).resolve()
    return [row for path in partition.glob("*.parquet") for row in pq.read_table(path).to_pylist()]


def test_a_run_writes_the_days_up_to_ds_and_nothing_later(tiny: Settings, source: Source) -> None:
    source.add(("u2", "i2", "3", 3))  # of the very next day, at which a late cut would show
    record = _ingest(tiny, 2)
    assert list(_versions(tiny)) == [1, 2]
    assert (record.rows_in, record.rows_out) == (5, 3)
    rows = _rows(tiny, "interactions", 1)
    assert [(r["user_id"], r["item_id"], r["rating"]) for r in rows] == [
        ("u1", "i1", 3.0),
        ("u1", "i2", 4.0),
    ]
    assert _rows(tiny, "items", 2)[0] == {
        "item_id": "i0",
        "title": "Thing, 0",
        "tags": ["red", "round"],
    }


def test_late_events_rewrite_only_their_day(tiny: Settings, source: Source) -> None:
    _ingest(tiny, 4)
    before = _versions(tiny)
    source.add(("u4", "i4", "2", 2), ("u4", "i4", "2", 6))
    _ingest(tiny, 5)
    after = _versions(tiny)
    assert [day for day in after if after[day] != before.get(day)] == [2]
    assert len(_rows(tiny, "interactions", 2)) == 2


def test_a_day_that_lost_its_rows_becomes_empty(tiny: Settings, source: Source) -> None:
    _ingest(tiny, 4)
    file = source.folder / "interactions.csv"
    file.write_text("".join(line for line in file.open() if not line.startswith("u2")))
    _ingest(tiny, 4)
    assert _rows(tiny, "interactions", 2) == []
    assert list(_versions(tiny)) == [1, 2, 4]


def test_a_ds_before_the_first_event_says_when_events_begin(tiny: Settings) -> None:
    too_early = date(1998, 2, 28)
    with (
        pytest.raises(UserError, match=r"1998-02-28 lies before the first .* 1998-03-01 on"),
        journal.step(tiny.journals, "ingest", too_early) as record,
    ):
        ingest.run(tiny, too_early, record)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("interactions.csv", b"who,what,when\nu1,i1,5\n", r"also needs \['stars'\]"),
        ("interactions.csv", b"\xff\xfe\x00binary", "cannot be read as UTF-8 text"),
        ("interactions.csv", b"", "is empty; expected a header line"),
        ("interactions.csv", b"who,what,stars,when\nu1,i1,3,noon\n", "none with a readable time"),
        ("users.csv", b"who,town\nu1,A\nu1,B\n", r"user_id is empty or repeated, .*\['u1'\]"),
        ("items.csv", b"what,name\ni1,A\n", r"also needs \['tags'\]"),
    ],
)
def test_unreadable_sources(
    tiny: Settings, source: Source, file: str, content: bytes, message: str
) -> None:
    (source.folder / file).write_bytes(content)
    with pytest.raises(UserError, match=message):
        _ingest(tiny, 4)
    assert _versions(tiny) == {}


def test_a_missing_source_file_is_named(tiny: Settings, source: Source) -> None:
    (source.folder / "users.csv").unlink()
    with pytest.raises(UserError, match=r"users\.csv cannot be read"):
        _ingest(tiny, 4)


def test_an_unknown_spec_key_is_named_with_the_nearest(tiny: Settings, source: Source) -> None:
    spec = SPEC.replace("rating_scale", "rating_scal")
    (source.folder / "dataset.toml").write_text(spec)
    with pytest.raises(UserError, match=r"unknown key 'rating_scal'.*Did you mean 'rating_scale'"):
        _ingest(tiny, 4)


def test_a_known_data_set_that_was_cut_is_refused(tiny: Settings, source: Source) -> None:
    expected = "\n[expected]\ninteractions = 5\nusers = 9\nitems = 9\n"
    expected += 'first_day = "1998-03-01"\nlast_day = "1998-03-04"\n'
    (source.folder / "dataset.toml").write_text(SPEC + expected)
    with pytest.raises(UserError, match=r"its files are cut or altered"):
        _ingest(tiny, 4)
    lake = Lake(root=tiny.lake)
    assert [lake.manifest(name, march(4)) for name in ("users", "items")] == [None, None]


def test_a_lake_keeps_to_its_data_set(tiny: Settings, source: Source) -> None:
    _ingest(tiny, 4)
    (source.folder / "dataset.toml").write_text(SPEC.replace('"tiny"', '"other"'))
    with pytest.raises(UserError, match=r"holds the data set 'tiny', and .* describes 'other'"):
        _ingest(tiny, 4)


def test_another_source_folder_without_a_spec_lists_the_known_layouts(
    tiny: Settings, source: Source
) -> None:
    (source.folder / "dataset.toml").unlink()
    with pytest.raises(UserError, match=r"which no dataset spec describes \(.*ratings\.dat"):
        _ingest(tiny, 4)


NETWORK = """
[network.metapaths]
via_maker = "maker"

[network.relations.maker]
file = "graph.csv"
item = "head"
node = "tail"
only = { relation = "made_by" }
ids = { file = "ids.csv", item_id = "what", alias = "entity" }
"""


def _with_network(source: Source, relation: str = "made_by") -> None:
    (source.folder / "dataset.toml").write_text(SPEC + NETWORK)
    (source.folder / "ids.csv").write_text("what,entity\ni1,e1\ni2,e2\n")
    rows = f"e1,{relation},m1\ne1,{relation},m1\ne2,{relation}, m1\ne1,sold_by,s1\n"
    rows += f"e9,{relation},m2\ne2,{relation},\n"
    (source.folder / "graph.csv").write_text("head,relation,tail\n" + rows)


def test_links_are_those_of_the_relation_under_the_items_own_ids(
    tiny: Settings, source: Source
) -> None:
    _with_network(source)
    _ingest(tiny, 4)
    assert _rows(tiny, "item_links", 4) == [
        {"item_id": item, "relation": "maker", "node": "m1"} for item in ("i1", "i2")
    ]


def test_without_relation_files_there_are_no_links(tiny: Settings) -> None:
    _ingest(tiny, 4)
    assert _rows(tiny, "item_links", 4) == []


def test_a_relation_file_that_is_missing_or_links_nothing_is_named(
    tiny: Settings, source: Source
) -> None:
    _with_network(source, relation="mde_by")
    with pytest.raises(
        UserError, match=r"graph\.csv links no item by the relation 'maker'.*made_by"
    ):
        _ingest(tiny, 4)
    (source.folder / "graph.csv").unlink()
    with pytest.raises(UserError, match=r"graph\.csv cannot be read"):
        _ingest(tiny, 4)
