"""A made-up source folder: whole, labelled, the same again, and read by the night's steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from jobs import __main__ as command_line
from jobs.steps import build_episodes as episodes
from jobs.steps import build_profiles as profiles
from jobs.steps import checks, ingest
from jobs.tools import synthesise
from jobs.tools.synthetic import Market
from schemas.dataset import spec as dataset_spec
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings

MARKET = Market(users=300, items=400, interactions=6_000, days=20, seed=5)
FILES = ("interactions", "items.parquet", "users.parquet")
LAST_DAY = date(2024, 1, 20)


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    synthesise.run(settings, MARKET, tmp_path / "made" / "up")
    return tmp_path / "made" / "up"


def test_the_folder_holds_what_was_asked_for(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["dataset.toml", *FILES]
    rows = [len(pq.read_table(folder / name)) for name in FILES]
    assert rows == [MARKET.interactions, MARKET.items, MARKET.users]
    days = sorted((folder / "interactions").iterdir())
    assert [day.name for day in days] == [f"2024-01-{n:02}.parquet" for n in range(1, 21)]
    times = [time for day in days for time in pq.read_table(day)["event_time"].to_pylist()]
    assert times == sorted(times)


def test_everything_says_that_it_is_synthetic(folder: Path) -> None:
    spec = dataset_spec.load(folder / "dataset.toml")
    assert spec.name == "synthetic"
    assert spec.title == "SYNTHETIC: 300 users, 400 items, 6,000 interactions, seed 5"
    assert (folder / "dataset.toml").read_text().startswith("# SYNTHETIC: no user, item or rating")
    titles = pq.read_table(folder / "items.parquet")["title"]
    assert pc.all(pc.starts_with(titles, "Synthetic ")).as_py()


def test_the_same_options_give_the_same_rows(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesise, "_ROWS_OF_A_PARTITION", 1_000)
    again, other = folder.with_name("again"), folder.with_name("other")
    synthesise.run(settings, MARKET, again)
    synthesise.run(settings, replace(MARKET, seed=6), other)
    for name in FILES:
        made = pq.read_table(folder / name)
        assert pq.read_table(again / name).equals(made)
        assert not pq.read_table(other / name).equals(made)


def test_the_night_reads_it(folder: Path, settings: Settings) -> None:
    settings = replace(settings, source=folder, home=settings.home / "home")
    records = {}
    for step in (ingest.run, checks.check_interactions, profiles.run, episodes.run):
        with journal.step(settings.journals, step.__name__, LAST_DAY) as record:
            step(settings, LAST_DAY, record)
        records[step.__module__] = record
    assert records["jobs.steps.ingest"].rows_out == MARKET.interactions
    assert records["jobs.steps.ingest"].facts["quarantined"] == 0
    partition = Lake(root=settings.lake).version("episodes", LAST_DAY)
    made = pq.read_table(partition, columns=["split", "scenario"]).to_pylist()
    assert {(row["split"], row["scenario"]) for row in made} == {
        ("train", "warm"), ("validation", "warm"), ("serve", "user_cold"), ("test", "warm"),
        ("test", "user_cold"), ("test", "item_cold"), ("test", "both_cold"),
    }  # fmt: skip


def test_a_folder_with_something_in_it_is_left_alone(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "data.csv").write_text("mine")
    with pytest.raises(UserError, match=r"mine exists and is no empty folder; name a new one"):
        synthesise.run(settings, MARKET, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["data.csv"]


def test_a_failed_run_leaves_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesise, "_SPEC", "{unknown}")
    with pytest.raises(KeyError):
        synthesise.run(settings, replace(MARKET, interactions=10), tmp_path / "made" / "up")
    assert list((tmp_path / "made").iterdir()) == []


def test_the_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []
    monkeypatch.setattr(synthesise, "run", lambda _, market, folder: asked.append((market, folder)))
    options = "--users 3 --items 4 --interactions 5 --days 6 --seed 7 --item-exponent 0.5"
    arguments = ["synthesise", *options.split(), "--to", str(tmp_path)]
    assert command_line.main(arguments) == 0
    market = Market(users=3, items=4, interactions=5, days=6, seed=7, item_exponent=0.5)
    assert asked == [(market, tmp_path)]
