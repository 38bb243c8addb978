"""Every bundled layout of MovieLens reads as what it describes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs.steps import ingest
from schemas.dataset import choice as dataset_choice
from schemas.dataset import spec as dataset_spec
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings

DS = date(1998, 3, 31)


def _recbole(folder: Path) -> None:
    (folder / "ml-100k.inter").write_text(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t242\t3\t881250949\n"
    )
    (folder / "ml-100k.user").write_text(
        "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
        "196\t49\tM\twriter\t55105\n"
    )
    (folder / "ml-100k.item").write_text(
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "242\tKolya\t1996\tComedy\n"
    )


def _grouplens_100k(folder: Path) -> None:
    (folder / "u.data").write_text("196\t242\t3\t881250949\n")
    (folder / "u.user").write_text("196|49|M|writer|55105\n")
    flags = "|".join("1" if place == 5 else "0" for place in range(19))
    film = f"242|Kolya|01-Jan-1996||http://example.org/\xe9|{flags}\n"
    (folder / "u.item").write_text(film, encoding="ISO-8859-1")


def _grouplens_1m(folder: Path) -> None:
    (folder / "ratings.dat").write_text("196::242::3::881250949\n")
    (folder / "users.dat").write_text("196::M::45::20::55105\n")
    film = "242::Kol\xeda (1996)::Comedy|Drama\n"
    (folder / "movies.dat").write_text(film, encoding="ISO-8859-1")


@pytest.mark.parametrize(
    ("spec", "write", "user", "item"),
    [
        (
            "ml-100k",
            _recbole,
            {"age": ["45-50"], "gender": ["M"], "occupation": ["writer"], "zip_region": ["5"]},
            {"title": "Kolya", "release_year": ["1996-1997"], "genres": ["Comedy"]},
        ),
        (
            "ml-100k-grouplens",
            _grouplens_100k,
            {"age": ["45-50"], "gender": ["M"], "occupation": ["writer"], "zip_region": ["5"]},
            {"title": "Kolya", "release_year": ["1996-1997"], "genres": ["Comedy"]},
        ),
        (
            "ml-1m",
            _grouplens_1m,
            {"age": ["45"], "gender": ["M"], "occupation": ["20"], "zip_region": ["5"]},
            {
                "title": "Kol\xeda (1996)",
                "release_year": ["1996-1997"],
                "genres": ["Comedy", "Drama"],
            },
        ),
    ],
)
def test_a_layout_is_found_and_read(
    settings: Settings,
    tmp_path: Path,
    spec: str,
    write: Callable[[Path], None],
    user: dict[str, object],
    item: dict[str, object],
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    write(source)
    bundled = dataset_spec.BUNDLED / f"{spec}.toml"
    assert dataset_choice.find(source) == bundled
    # One row is not the whole data set, which the bundled spec would insist on.
    own = re.sub(r"\[expected\]\n(?:.+\n)+", "", bundled.read_text())
    (source / "dataset.toml").write_text(own)
    settings = replace(settings, source=source)
    with journal.step(settings.journals, "ingest", DS) as record:
        ingest.run(settings, DS, record)
    assert (record.rows_out, record.facts["quarantined"]) == (1, 0)
    assert _row(settings, "users") == {"user_id": "196", **user}
    assert _row(settings, "items") == {"item_id": "242", **item}


def _row(settings: Settings, table: str) -> dict[str, object]:
    [file] = Lake(root=settings.lake).version(table, DS).glob("*.parquet")
    [row] = pq.read_table(file).to_pylist()
    return dict(row)


def test_both_layouts_of_movielens_100k_are_one_data_set() -> None:
    first, second = (
        dataset_spec.load(dataset_spec.BUNDLED / f"{name}.toml")
        for name in ("ml-100k", "ml-100k-grouplens")
    )
    assert (first.name, first.expected) == (second.name, second.expected)
