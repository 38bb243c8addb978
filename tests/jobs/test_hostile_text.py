"""Ids and titles of any text come back as they were, or are set aside with a reason."""

from __future__ import annotations

import csv
import random
from datetime import date

import pyarrow.parquet as pq
import pytest

from jobs.steps import ingest
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings
from schemas.tables.source import MAX_ID_CHARACTERS
from schemas.warehouse.uri import DUCKDB
from tests.jobs.engines import both_engines
from tests.jobs.night import Night
from tests.tiny_shop import Source

DAY = date(1998, 3, 1)
_LETTERS = random.Random(7)
HARMLESS = {
    "quotes": 'it\'s "quoted" `thrice`',
    "statement": "'; DROP TABLE coldstart_data.publications; --",
    "parameter": "$1 %s {x} \\copy",
    "emoji": "🎬👨‍👩‍👧‍👦é\u0301",
    "right to left": "\u202e\u0645\u0631\u062d\u0628\u0627\u202c \u05e9\u05dc\u05d5\u05dd",
    "control": "a\tb\x1b[31mc\x7f",
    "null's name": "NULL",
    "longest": "".join(chr(_LETTERS.randrange(0x20000, 0x2A000)) for _ in range(MAX_ID_CHARACTERS)),
}
UNSTORABLE = {"NUL": "a\0b", "too long": "x" * 10_000}
LONG_TITLE = "".join(chr(_LETTERS.randrange(0x4E00, 0x9F00)) for _ in range(10_000))


@both_engines
@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_text_comes_back_from_the_warehouse(night: Night, text: str) -> None:
    night.rows["evidence_items"][0].update(item_id=text, title=text + LONG_TITLE)
    for row in night.rows["cold_user_scores"][:2]:
        row["user_id"] = text
    night.rows["cold_user_scores"][0]["item_id"] = text
    night.publish()
    night.publish()
    found = night.ask(
        "SELECT e.item_id, e.title, s.user_id FROM coldstart.latest_evidence_items AS e "
        "JOIN coldstart.latest_cold_user_scores AS s ON s.item_id = e.item_id "
        "WHERE s.user_id = $1",
        text,
    )
    assert found == [(text, text + LONG_TITLE, text)]


@both_engines
def test_what_an_engine_cannot_hold_is_not_published_by_half(night: Night) -> None:
    """Ingest lets no U+0000 through; whatever writes one later stops the publication."""
    night.publish()
    night.rows["evidence_items"][0]["title"] = UNSTORABLE["NUL"]
    if night.settings.warehouse.engine == DUCKDB:
        night.publish()
        expected = [(UNSTORABLE["NUL"],), ("Film 2",)]
    else:
        with pytest.raises(UserError, match=r"refuses: .*invalid byte sequence.*0x00"):
            night.publish()
        expected = [("Film 1",), ("Film 2",)]
    sql = "SELECT title FROM coldstart.latest_evidence_items ORDER BY rank"
    assert night.ask(sql) == expected


def test_ingest_keeps_what_can_be_kept_and_says_why_not(tiny: Settings, source: Source) -> None:
    ids = {**HARMLESS, **UNSTORABLE}
    with (source.folder / "items.csv").open("a", newline="") as file:
        rows = csv.writer(file)
        rows.writerows((text, f"title of {name}", "red") for name, text in ids.items())
        rows.writerow(("odd title", UNSTORABLE["NUL"], "red"))
        rows.writerow(("odd tags", "Odd", f"red;a\0b;{'x' * 513};blue"))
    with (source.folder / "users.csv").open("a", newline="") as file:
        csv.writer(file).writerows((text, "Town") for text in ids.values())
    with (source.folder / "interactions.csv").open("a", newline="") as file:
        rows = csv.writer(file)
        rows.writerows((text, "i1", "3", "888753600") for text in ids.values())
        rows.writerows(("u1", text, "3", "888753600") for text in ids.values())
    with journal.step(tiny.journals, "ingest", DAY) as record:
        ingest.run(tiny, DAY, record)

    def column(table: str, name: str) -> list[str]:
        folder = Lake(root=tiny.lake).version(table, DAY)
        return [
            value
            for path in folder.glob("*.parquet")
            for value in pq.read_table(path)[name].to_pylist()
        ]

    kept = {text for name, text in ids.items() if name in HARMLESS}
    for name in ("user_id", "item_id"):
        assert kept <= set(column("interactions", name))
        assert kept <= set(column(f"{name.removesuffix('_id')}s", name))
        for table in ("interactions", f"{name.removesuffix('_id')}s"):
            assert not set(UNSTORABLE.values()) & set(column(table, name))
    reasons = sorted(column("interactions_quarantine", "reason"))
    assert reasons == ["unstorable_item_id"] * 2 + ["unstorable_user_id"] * 2
    titles = dict(zip(column("items", "item_id"), column("items", "title"), strict=True))
    assert titles["odd title"] is None
    assert titles[HARMLESS["emoji"]] == "title of emoji"
    tags = dict(zip(column("items", "item_id"), column("items", "tags"), strict=True))
    assert tags["odd tags"] == ["red", "blue"]
    told = "\n".join(record.facts["warnings"])
    assert "items.csv: 2 rows left out, whose what has U+0000 or more than 512" in told
    assert "users.csv: 2 rows left out, whose who has U+0000 or more than 512" in told
    assert "items.csv: 1 titles left out, which have U+0000" in told
    assert "items.csv: values of 1 rows left out, which have U+0000 or more than 512" in told
