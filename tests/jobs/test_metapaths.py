"""The job on a tiny shop: later events, and held-out ones, are in no list."""

from __future__ import annotations

from datetime import date

import pyarrow.parquet as pq
import pytest

from jobs.steps import build_metapaths as metapaths
from jobs.steps import build_profiles as profiles
from jobs.steps import ingest
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings
from tests.tiny_shop import SPEC, Source

DS = date(1998, 3, 12)  # users are held out from day 10 on, items from day 7 on
NETWORK = """
[network.metapaths]
by_user = "users"
by_tag = "tag"

[network.relations.tag]
feature = "tags"
"""
Rows = dict[tuple[str, str], list[str]]


def _step(settings: Settings, module: object) -> journal.Step:
    with journal.step(settings.journals, "step", DS) as record:
        module.run(settings, DS, record)  # type: ignore[attr-defined]
    return record


def _night(settings: Settings) -> tuple[journal.Step, Rows]:
    """Ingest, profiles and meta-paths; the neighbours of each item and path, by their ids."""
    *_, record = [_step(settings, module) for module in (ingest, profiles, metapaths)]
    lake = Lake(root=settings.lake)

    def rows(table: str) -> list[dict]:
        files = lake.version(table, DS).glob("*.parquet")
        return [row for file in files for row in pq.read_table(file).to_pylist()]

    ids = {row["item_index"]: row["item_id"] for row in rows("item_profiles")}
    return record, {
        (row["metapath"], ids[row["item_index"]]): sorted(ids[n] for n in row["neighbours"])
        for row in rows("metapath_neighbours")
    }


@pytest.fixture
def shop(source: Source) -> Source:
    """Nine existing users rated i1 and i2; i3 and i4 have one of them each, i5 is new."""
    (source.folder / "dataset.toml").write_text(SPEC + NETWORK)
    source.add(*((f"u{n}", f"i{item}", "3", 2) for n in range(9) for item in (1, 2)))
    source.add(("u1", "i4", "4", 3), ("u2", "i4", "4", 3), ("u3", "i5", "5", 8))
    source.add(("u4", "i1", "5", 12))
    return source


def test_only_what_training_may_see_is_a_link(tiny: Settings, shop: Source) -> None:
    record, before = _night(tiny)
    items = {"i1", "i2", "i3", "i4", "i5"}
    assert {item for _, item in before} == items
    assert record.rows_out == len(before) == 2 * len(items)
    assert before["by_user", "i1"] == ["i2", "i3", "i4"]
    assert before["by_user", "i5"] == []  # a new item's ratings are queries of test tasks
    assert before["by_tag", "i5"] == ["i1", "i2", "i3", "i4"]
    assert before["by_tag", "i1"] == ["i2", "i3", "i4"]

    held_out = [(f"u{n}", item, "5", 11) for n in range(9) for item in ("i3", "i4")]
    later = [(f"u{n}", item, "5", 13) for n in range(9) for item in ("i3", "i6")]
    shop.add(*held_out, *later)
    assert _night(tiny)[1] == before

    shop.add(*((f"u{n}", "i3", "5", 3) for n in range(9)))
    assert _night(tiny)[1]["by_user", "i3"] == ["i1", "i2", "i4"]
    assert before["by_user", "i3"] == ["i1", "i2"]


def test_without_a_network_the_partition_is_empty(tiny: Settings, source: Source) -> None:
    record, rows = _night(tiny)
    assert (record.rows_in, record.rows_out, rows) == (0, 0, {})
