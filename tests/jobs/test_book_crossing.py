"""The faults of the Book-Crossing dump, in made-up lines of its layout."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs.steps import ingest
from schemas.dataset import choice as dataset_choice
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings

DS = date(2004, 10, 1)  # after the last of the made-up times

USERS = r"""
"User-ID";"Location";"Age"
"1";"springfield, oregon, usa";NULL
"2";"m\"unchen, n/a, germany";"34"
"3";"nowhere, n/a, n/a";"244"
"4";"le\"on, , ";"0"
"5";"mal\;aga, spain";"101"
"""

# A quote and the delimiter in a title, letters of Latin-1, years that no book has, no publisher.
BOOKS = r"""
"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S";"Image-URL-M";"Image-URL-L"
"000000001X";"A \"quoted\" title; with a semicolon";"A. Writer";"1999";"Press";"s";"m";"l"
"0000000022";"The end\";Another Author";"B. Writer";"0";"Press & Söhne";"s";"m";"l"
"0000000033";"Naïve";"C. Writer";"2050";NULL;"s";"m";"l"
"0000000044";"Kept";"A. Writer";"1979";"";"s";"m"
"""

RATINGS = r"""
"User-ID";"ISBN";"Book-Rating"
"1";"000000001X";"10"
"1";"0000000022";"0"
"2";"000000001X";"1"
"2";"000000001X";"3"
"2";"0000000033";"7"
"3";"0000000044";"5"
"3";"0000000022";"6"
"4";"0000000022";"8"
"5";"0000000033";"9"
"5";"0000000044";"9"
"4";"0000000099";"5"
"""


@pytest.fixture
def books(settings: Settings, tmp_path: Path) -> Settings:
    """A folder of the dump, and what ingest makes of it."""
    source = tmp_path / "books"
    source.mkdir()
    for name, text in {"Users": USERS, "Books": BOOKS, "Book-Ratings": RATINGS}.items():
        (source / f"BX-{name}.csv").write_text(text.lstrip(), encoding="ISO-8859-1")
    settings = replace(settings, source=source)
    spec = dataset_choice.find(source)
    assert spec.stem == "book-crossing"
    # One row is a larger part of ten than it is of the whole data set.
    own = spec.read_text().replace(
        "max_quarantined_fraction = 0.15", "max_quarantined_fraction = 0.2"
    )
    (source / "dataset.toml").write_text(own)
    with journal.step(settings.journals, "ingest", DS) as record:
        ingest.run(settings, DS, record)
    return settings


def _rows(settings: Settings, table: str) -> list[dict]:
    lake = Lake(root=settings.lake)
    folders = [lake.version(table, day) for day in lake.days(table, until=DS)]
    files = [file for folder in folders for file in folder.glob("*.parquet")]
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def test_the_dump_is_read_with_its_faults(books: Settings) -> None:
    users = {row["user_id"]: (row["age"], row["country"]) for row in _rows(books, "users")}
    assert users == {
        "1": ([], ["usa"]),
        "2": (["25-35"], ["germany"]),
        "3": ([], []),
        "4": ([], []),
        "5": ([], ["spain"]),
    }
    items = {row.pop("item_id"): row for row in _rows(books, "items")}
    assert items == {
        "000000001X": {
            "title": 'A "quoted" title; with a semicolon',
            "author": ["A. Writer"],
            "publisher": ["Press"],
            "year": ["1998-2000"],
        },
        "0000000022": {
            "title": 'The end";Another Author',
            "author": ["B. Writer"],
            "publisher": ["Press & Söhne"],
            "year": [],
        },
        "0000000033": {"title": "Naïve", "author": ["C. Writer"], "publisher": [], "year": []},
        "0000000044": {
            "title": "Kept",
            "author": ["A. Writer"],
            "publisher": [],
            "year": ["<1980"],
        },
    }
    assert {(r["user_id"], r["item_id"], r["rating"]) for r in _rows(books, "interactions")} == {
        ("1", "000000001X", 10.0),
        ("2", "000000001X", 1.0),
        ("2", "0000000033", 7.0),
        ("3", "0000000044", 5.0),
        ("3", "0000000022", 6.0),
        ("4", "0000000022", 8.0),
        ("5", "0000000033", 9.0),
        ("5", "0000000044", 9.0),
    }  # a rating of 0 is none at all
    assert {
        (row["source_line"], row["reason"]) for row in _rows(books, "interactions_quarantine")
    } == {
        ('"4";"0000000099";"5"', "unknown_item"),
        ('"2";"000000001X";"3"', "duplicate"),
    }


def test_made_up_times_stay_when_rows_are_added(books: Settings) -> None:
    before = {(r["user_id"], r["item_id"]): r["event_time"] for r in _rows(books, "interactions")}
    for user in "235":
        own = [at for (who, _), at in before.items() if who == user]
        assert len(set(own)) == 2
        assert (max(own) - min(own)).days < 60
    assert {(at.hour, at.minute) for at in before.values()} == {(0, 0)}
    assert len({at.date() for at in before.values()}) > 4
    assert {date(2003, 8, 1) <= at.date() < date(2004, 9, 30) for at in before.values()} == {True}
    with (books.source / "BX-Book-Ratings.csv").open("a") as file:
        file.write('"1";"0000000033";"2"\n"2";"0000000044";"2"\n')
    with journal.step(books.journals, "ingest", DS) as record:
        ingest.run(books, DS, record)
    after = {(r["user_id"], r["item_id"]): r["event_time"] for r in _rows(books, "interactions")}
    assert len(after) == len(before) + 2
    assert before.items() <= after.items()
