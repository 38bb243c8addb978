"""Implicit feedback from files of picks to checked episodes, and what they may never hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import CHECK_FEATURES, NIGHT
from schemas.run import journal
from schemas.run.settings import Settings
from tests.implicit_shop import SPEC, Picks, picks, shop

__all__ = ["picks", "shop"]

DS = date(1998, 3, 24)
LATE_ITEM = 29
SYNTHETIC = SPEC.replace(
    'event_time = "when"',
    "[interactions.synthetic_time]\n"
    'order = "place"\nfirst_day = "1998-03-01"\nspread_days = 5\nstep_seconds = 3600',
)


FEATURES = {step.name: step for step in NIGHT if step.stage <= CHECK_FEATURES.stage}


def _run(settings: Settings, *steps: str, ds: date = DS) -> None:
    for name in steps or FEATURES:
        with journal.step(settings.journals, name, ds) as record:
            FEATURES[name].function()(settings, ds, record)


def _rows(settings: Settings, table: str, ds: date = DS) -> list[dict]:
    partition = Lake(root=settings.lake).partition(table, ds).resolve()
    return [row for path in partition.glob("*.parquet") for row in pq.read_table(path).to_pylist()]


def _made_up() -> Iterator[tuple[int, int, int]]:
    """60 users of 5 picks, a day between them; items 20 to 28 come up on day 16, 29 after `DS`."""
    draws = np.random.default_rng(4)
    for user in range(60):
        first = 1 + user * 22 // 60
        early, late = draws.permutation(20), draws.permutation(9) + 20
        for n in range(5):
            day = first + n
            yield user, int(late[n] if day >= 16 and n % 2 else early[n]), day
        yield user, LATE_ITEM, 27


@pytest.fixture
def night(shop: Settings, picks: Picks) -> Settings:
    """The shop after the checks of features: they hold negatives to the contract."""
    picks.write(_made_up())
    _run(shop)
    return shop


def test_a_night_of_picks(night: Settings) -> None:
    assert {row["rating"] for row in _rows(night, "interactions", date(1998, 3, 9))} == {1.0}
    assert sorted(_rows(night, "users")[0]) == ["user_id"]
    assert {row["rating_mean"] for row in _rows(night, "item_profiles")} == {1.0}
    chosen = defaultdict(set)
    for user, item, day in _made_up():
        if day <= DS.day:
            chosen[str(user)].add(str(item))
    users = {row["user_index"]: row["user_id"] for row in _rows(night, "user_profiles")}
    items = {row["item_index"]: row for row in _rows(night, "item_profiles")}
    assert str(LATE_ITEM) not in {row["item_id"] for row in items.values()}
    rows = _rows(night, "episodes")
    assert {(row["split"], row["scenario"]) for row in rows} >= {
        ("train", "warm"), ("test", "warm"), ("test", "user_cold"), ("test", "item_cold"),
        ("test", "both_cold"), ("serve", "user_cold"),
    }  # fmt: skip
    for row in rows:
        own = chosen[users[row["user_index"]]]
        for side in ("support", "query"):
            pairs = list(zip(row[f"{side}_items"], row[f"{side}_ratings"], strict=True))
            negatives = [items[item] for item, rating in pairs if rating == 0]
            positives = [items[item] for item, rating in pairs if rating == 1]
            assert {item["item_id"] for item in positives} <= own
            assert not {item["item_id"] for item in negatives} & own
            assert len(negatives) == _wanted(row["split"], side, len(positives))
            is_new = side == "query" and row["scenario"] in ("item_cold", "both_cold")
            assert {item["is_new"] for item in negatives} <= {is_new}


def _wanted(split: str, side: str, positives: int) -> int:
    if side == "support":
        return positives
    return {"serve": 0, "test": 3}.get(split, 2 * positives)


def test_the_checks_name_tasks_with_faulty_negatives(night: Settings) -> None:
    """A chosen item drawn as a negative, and a rating that is neither level."""
    lake = Lake(root=night.lake)
    [file] = lake.partition("episodes", DS).resolve().glob("*.parquet")
    table = pq.read_table(file, partitioning=None)
    rows = table.to_pylist()
    test = next(row for row in rows if row["split"] == "test" and row["scenario"] == "warm")
    test["query_ratings"][0] = 0.0
    train = next(row for row in rows if row["split"] == "train")
    train["support_ratings"][0] = 0.5
    with lake.replacing("episodes", DS) as draft:
        pq.write_table(table.from_pylist(rows, schema=table.schema), draft.path / "part-0.parquet")
        draft.rows = len(rows)
    with pytest.raises(UserError) as error:
        _run(night, "check_features")
    message = str(error.value)
    assert "no sampled negative is an item that the user has ever chosen" in message
    assert f"task_id={test['task_id']} chosen_negatives=1" in message
    assert "every element of support_ratings is filled in, one of 0.0, 1.0" in message
    assert f"task_id={train['task_id']} support_ratings_violations=1" in message


def test_files_of_numbers_and_lists_become_text(shop: Settings, picks: Picks) -> None:
    picks.write([(7, 1, 1), (7, 2, 2)])
    _run(shop, "ingest", ds=date(1998, 3, 2))
    items = {row["item_id"]: row for row in _rows(shop, "items", date(1998, 3, 2))}
    assert items["5"] == {"item_id": "5", "title": None, "tags": ["1", "7"]}
    [row] = _rows(shop, "interactions", date(1998, 3, 2))
    assert (row["user_id"], row["item_id"], row["rating"]) == ("7", "2", 1.0)


@pytest.mark.parametrize(
    "type_", [pa.timestamp("us", tz="Europe/Berlin"), pa.timestamp("ns"), pa.date32()], ids=str
)
def test_parquet_files_with_times_of_their_own(
    shop: Settings, picks: Picks, type_: pa.DataType
) -> None:
    at = datetime(1998, 3, 2, tzinfo=UTC)
    at = at if type_ == pa.date32() else at.replace(hour=11, microsecond=123_457)
    times = pa.array([at.date() if type_ == pa.date32() else at], type_)
    table = pa.table({"who": ["7"], "what": ["1"], "when": times})
    pq.write_table(table, picks.folder / "picks.parquet")
    _run(shop, "ingest", ds=date(1998, 3, 2))
    [row] = _rows(shop, "interactions", date(1998, 3, 2))
    assert row["event_time"] == at


def test_users_are_those_seen_by_ds(shop: Settings, picks: Picks) -> None:
    picks.write([(7, 1, 1), (8, 2, 3)])
    _run(shop, "ingest", ds=date(1998, 3, 2))
    assert _rows(shop, "users", date(1998, 3, 2)) == [{"user_id": "7"}]


def test_synthetic_times_keep_each_users_order(shop: Settings, picks: Picks) -> None:
    (picks.folder / "dataset.toml").write_text(SYNTHETIC)
    picks.write([(user, item, 1) for item in range(4) for user in range(20)])
    _run(shop, "ingest", ds=date(1998, 3, 20))
    days = Lake(root=shop.lake).days("interactions", until=date(1998, 3, 20))
    times: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
    for day in days:
        for row in _rows(shop, "interactions", day):
            times[row["user_id"]].append((row["item_id"], row["event_time"]))
    begins = set()
    for user, events in times.items():
        items, at = zip(*sorted(events, key=lambda event: event[1]), strict=True)
        assert items == ("0", "1", "2", "3")
        begins.add(at[0].timestamp() - int(user) * 3600)  # place 0 of the order
        assert {(b - a).total_seconds() for a, b in pairwise(at)} == {20 * 3600}
    first = datetime(1998, 3, 1, tzinfo=UTC).timestamp()
    assert begins == {first + day * 86_400 for day in range(5)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"what"\n\n[items.f', '"which"\n\n[items.f', r"has the columns .*also needs \['which'\]"),
        ('kind = "multi"', 'kind = "categorical"', r"tags holds lists.*apart as 'categorical'"),
        ('column = "tags"', 'column = "tags", separator = ";"', r"expected kind 'multi' without"),
        ("[cold_start]", '[expected]\ninteractions = 2\nusers = 3\nitems = 30\nfirst_day = '
         '"1998-03-01"\nlast_day = "1998-03-02"\n[cold_start]', "holds 1 users where"),
    ],
)  # fmt: skip
def test_sources_that_do_not_fit(
    shop: Settings, picks: Picks, old: str, new: str, message: str
) -> None:
    assert old in SPEC
    (picks.folder / "dataset.toml").write_text(SPEC.replace(old, new, 1))
    picks.write([(7, 1, 1), (7, 2, 2)])
    with pytest.raises(UserError, match=message):
        _run(shop, "ingest")


def test_a_file_that_is_no_parquet_is_named(shop: Settings, picks: Picks) -> None:
    (picks.folder / "picks.parquet").write_text("who,what\n")
    with pytest.raises(UserError, match=r"picks\.parquet cannot be read as Parquet"):
        _run(shop, "ingest")
    Path(picks.folder / "picks.parquet").unlink()
    with pytest.raises(UserError, match=r"picks\.parquet cannot be read as Parquet"):
        _run(shop, "ingest")
