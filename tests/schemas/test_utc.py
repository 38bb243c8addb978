"""Days and instants meet in `schemas/utc.py` alone, rows of Spark in `jobs/spark/rows.py`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from schemas import utc
from schemas.run.settings import REPOSITORY

TOKYO = timezone(timedelta(hours=9))
FOLDERS = ("schemas", "jobs", "meta_model", "dags", "local", "benchmarks", "docker")
HELPERS = {"schemas/utc.py", "jobs/spark/rows.py"}
# Ruff's DTZ rules find calls that lack a zone. These say nothing of zones and depend on one.
DAYS = {
    "date", "today", "now", "utcnow", "fromtimestamp", "utcfromtimestamp", "combine", "astimezone",
    "strftime", "localtime", "gmtime", "mktime", "ctime", "current_date",
    "current_timestamp", "from_unixtime", "localtimestamp",
}  # fmt: skip
FRAMES = {"collect", "first", "head", "tail", "toPandas", "toLocalIterator", "toArrow", "foreach"}
_OF_A_CLOCK = re.compile(r"%[A-Za-z]")


def _faults(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="utc"))):
                pass
            case ast.Call(func=ast.Attribute(attr=name)) if name in DAYS:
                yield f"{node.lineno}: {name}() makes a day or an instant; use schemas/utc.py"
            case ast.Call(func=ast.Attribute(attr=name)) if name in FRAMES:
                yield f"{node.lineno}: {name}() loses timestamps' zone; use jobs/spark/rows.py"
            case ast.FormattedValue(format_spec=ast.JoinedStr(values=[ast.Constant(value=spec)])):
                if _OF_A_CLOCK.search(str(spec)):
                    yield f"{node.lineno}: {spec} formats in the zone it has; use utc.shown"


def _sources() -> list[Path]:
    return [file for folder in FOLDERS for file in sorted((REPOSITORY / folder).rglob("*.py"))]


def test_no_other_code_makes_days_of_instants() -> None:
    names = {file: str(file.relative_to(REPOSITORY)) for file in _sources()}
    assert set(names.values()) >= HELPERS
    found = [
        f"{name}:{fault}"
        for file, name in names.items()
        if name not in HELPERS
        for fault in _faults(file.read_text())
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "seen['first'].date()",
        "datetime.fromtimestamp(0, UTC)",
        "date.today()",
        "at.astimezone()",
        "f'{at:%Y-%m-%d}'",
        "time.strftime('%H')",
        "frame.agg(F.max('at')).first()",
        "F.current_date()",
    ],
)
def test_the_check_sees(code: str) -> None:
    assert list(_faults(code))


@pytest.mark.parametrize("code", ["f'{share:.2%}'", "date(1998, 3, 31)", "utc.today()"])
def test_the_check_leaves_alone(code: str) -> None:
    assert not list(_faults(code))


def test_an_instant_is_of_the_day_it_has_in_utc() -> None:
    late = datetime(1998, 4, 1, 8, 59, 59, tzinfo=TOKYO)
    assert utc.day_of(late) == date(1998, 3, 31)
    assert utc.day_of(late + timedelta(seconds=1)) == date(1998, 4, 1)
    assert utc.shown(late) == "1998-03-31 23:59:59"
    assert utc.read("1998-04-01T08:59:59+09:00") == late == utc.at(late.timestamp())
    assert utc.read("1998-03-31T23:59:59Z").tzinfo is UTC


def test_a_day_ends_where_the_next_begins() -> None:
    day = date(2011, 12, 30)  # which Samoa did not have
    assert utc.day_of(utc.start_of(day)) == day
    assert utc.end_of(day) == utc.start_of(date(2011, 12, 31))
    assert utc.today() in (utc.day_of(datetime.now(UTC)), utc.day_of(utc.now()))


@pytest.mark.parametrize(
    "naive",
    [lambda: utc.day_of(datetime(1998, 3, 31)), lambda: utc.read("1998-03-31T00:00:00")],  # noqa: DTZ001
)
def test_an_instant_without_a_zone_is_refused(naive) -> None:
    with pytest.raises(ValueError, match="has no time zone; expected one that says which instant"):
        naive()
