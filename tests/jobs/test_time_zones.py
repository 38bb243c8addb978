"""A night of a small shop is the same in every zone that a machine may be in, row for row."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from schemas import pipeline
from schemas.pipeline import CHECK_FEATURES, CHECK_OUTPUTS, GATE, META_TRAIN, REPORT
from schemas.run.settings import REPOSITORY
from schemas.tables import products
from tests.jobs.homes import Home
from tests.jobs.night import Night
from tests.jobs.second_night import NETWORK
from tests.tiny_shop import Source, empty_shop

# Samoa skips 2011-12-30, and New York goes to summer time on 2012-03-11.
DAYS = [
    *(date(2011, 12, 29) + timedelta(days=n) for n in range(3)),
    *(date(2012, 3, 10) + timedelta(days=n) for n in range(3)),
]
DS = DAYS[-1]
# The last and the first minute of a day, and an hour that New York does not have on 2012-03-11.
CLOCKS = ("23:59:59", "00:00:00", "02:30:00", "12:00:00")
USERS, ITEMS = 40, 20
MOMENTS = ("data_read_at", "made_at", "published_at", "publication")
# All steps in one process, and without the zone that the command line gives it: our own code has
# to be right by itself.
NIGHT = """
import sys
from contextlib import nullcontext
from importlib import import_module
from schemas.run import command_line

command_line._in_utc = nullcontext
for step in sys.argv[2:]:
    package, *arguments = step.split()
    if code := import_module(f"{package}.__main__").main([*arguments, "--ds", sys.argv[1]]):
        sys.exit(f"{step} ended with exit code {code}")
sys.exit(import_module("jobs.__main__").main(["describe-source"]))
"""
OPTIONS = {META_TRAIN: " --epochs 1", GATE: " --choose challenger"}
LEFT_OUT = (CHECK_FEATURES, CHECK_OUTPUTS, REPORT)  # they write no table
LIMIT_SECONDS = 900  # also on a machine that has more to do


def _shop(folder: Path) -> Source:
    """Users come day by day, and say when in words: without an offset, and with one."""
    source = empty_shop(folder)
    source.respell(('separator = ";" }\n', 'separator = ";" }\n' + NETWORK))
    for name, key, n in (("users", "u", USERS), ("items", "i", ITEMS)):
        header = (folder / f"{name}.csv").read_text().splitlines()[0]
        rows = (f"{key}{i},{'Town' if key == 'u' else f'Thing {i},red;round'}" for i in range(n))
        (folder / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n")
    source.write_lines(*_rows(), "u1,i1,3,2099-01-01 00:00:00", "u1,i1,3,2012-03-25 24:61:00")
    return source


def _rows() -> Iterator[str]:
    for user in range(USERS):
        first = user * len(DAYS) // USERS
        for n in range(12):
            day = DAYS[min(first + n // 2, len(DAYS) - 1)]
            at = datetime.fromisoformat(f"{day} {CLOCKS[(user + n) % len(CLOCKS)]}").replace(
                tzinfo=UTC
            )
            there = at + timedelta(hours=9)
            when = (str(at.timestamp()), f"{at:%F %T}", f"{there:%FT%T}+09:00")[(user + n) % 3]
            yield f"u{user},i{(user * 7 + n * 3) % ITEMS},{1 + (user * n + n) % 5},{when}"


def _night(home: Home, zone: str) -> str:
    """What describe-source says after the night."""
    steps = [
        f"{step.program} {step.name}{OPTIONS.get(step, '')}"
        for step in pipeline.NIGHT
        if step not in LEFT_OUT
    ]
    foreign = ("COLDSTART_", "SPARK_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    done = subprocess.run(
        [sys.executable, "-c", NIGHT, str(DS), *steps],
        env={**inherited, **home.environment, "TZ": zone},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert done.returncode == 0, f"{zone}: {done.stdout}\n{done.stderr}"
    return done.stdout


def _published(home: Home) -> dict[str, list[str]]:
    """The warehouse's rows as text, without the moments they were made at."""
    night = Night(settings=home.settings, ds=DS)
    found = {}
    for table in (*products.PRODUCTS, products.PUBLICATIONS):
        names = ", ".join(name for name in table.column_names if name not in MOMENTS)
        found[table.name] = sorted(
            map(str, night.ask(f"SELECT {names} FROM coldstart.{table.name}"))
        )
    return found


@pytest.fixture(scope="module")
def nights(
    tmp_path_factory: pytest.TempPathFactory, spark_variables: Mapping[str, str]
) -> dict[str, tuple[Home, str]]:
    """The home of each zone, and what describe-source says there."""
    folder = tmp_path_factory.mktemp("zones")
    source = _shop(folder / "source").folder
    made = {}
    for zone in ("UTC", "America/New_York", "Pacific/Apia"):
        home = Home(folder=folder / zone, source=source, spark=spark_variables)
        made[zone] = home, _night(home, zone)
    return made


@pytest.mark.slow  # a night in each of three zones
@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Apia"])
def test_a_night_is_the_same_in(nights: dict[str, tuple[Home, str]], zone: str) -> None:
    (expected, said), (found, said_there) = nights["UTC"], nights[zone]
    days = {ds for table, ds in expected.rows() if table == "interactions"}
    assert days >= {f"ds={day}" for day in DAYS}
    assert found.rows() == expected.rows()
    published = _published(expected)
    for name in (
        *("evidence_items", "cold_user_scores", "model_metrics", "list_quality", "publications"),
    ):
        assert published[name], name
    assert _published(found) == published
    assert said_there == said


DRIVER = """
from datetime import date
from pyspark.sql import functions as F
from jobs.spark.rows import only_row
from jobs.spark.session import spark_session
from schemas import utc
from schemas.run.settings import Settings

with spark_session(Settings.from_environment()) as spark:
    print(spark._jvm.java.util.TimeZone.getDefault().getID())
    day, at = date(2011, 12, 30), utc.at(1325246399)
    row = only_row(spark.range(1).select(F.lit(day).alias("day"), F.lit(at).alias("at")))
    print(row["day"], row["at"].isoformat(), utc.day_of(row["at"]))
"""


@pytest.mark.slow  # a Spark driver of its own
@pytest.mark.usefixtures("process")
def test_a_driver_of_its_own_is_in_utc_too(tmp_path: Path) -> None:
    """On a day that Samoa did not have."""
    foreign = ("COLDSTART_", "SPARK_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    own = {"TZ": "Pacific/Apia", "COLDSTART_HOME": str(tmp_path), "COLDSTART_SPARK": "local[1]"}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        env={**inherited, **own},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert done.stdout.splitlines() == [
        "UTC",
        "2011-12-30 2011-12-30T11:59:59+00:00 2011-12-30",
    ], done.stderr
