"""Source text to contracts, case by case."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pyspark.sql import SparkSession

from jobs.transforms.source import ORIGIN, parse_interactions
from jobs.transforms.valid_rows import valid_interactions, with_reasons
from schemas.dataset import spec as dataset_spec
from schemas.dataset.spec import Interactions
from schemas.tables import lake as tables

SPEC = dataset_spec.load(dataset_spec.BUNDLED / "ml-100k.toml")
COLUMNS = Interactions(file="-", user_id="u", item_id="i", rating="r", event_time="t")

NOW = datetime(2026, 1, 1, tzinfo=UTC)

ROWS = [
    # user, item, rating, time, the reason expected; a time of None is of a row that broke off
    ("1", "10", "4", "881250949", None),
    ("1", "11", "4.5", "881250949.25", None),
    (None, "10", "4", "881250949", "missing_user_id"),
    ("  ", "10", "4", "881250949", "missing_user_id"),
    (" 1 ", "10", "4", "881250950", None),
    ("1", None, "4", "881250949", "missing_item_id"),
    ("a\0b", "10", "4", "881250949", "unstorable_user_id"),
    ("x" * 513, "\0", "4", "881250949", "unstorable_user_id"),
    ("1", "é" * 513, "4", "881250949", "unstorable_item_id"),
    ("x" * 512, "10", "4", "881250949", "unknown_user"),
    ("1", "10", "four", "881250949", "unreadable_rating"),
    ("1", "10", None, "881250949", "unreadable_rating"),
    ("1", "10", "NaN", "881250949", "rating_off_scale"),
    ("1", "10", "5.5", "881250949", "rating_off_scale"),
    ("1", "10", "4", "yesterday", "unreadable_event_time"),
    ("1", "10", "4", "", "unreadable_event_time"),
    ("1", "10", "4", "12:30", "unreadable_event_time"),
    ("1", "10", "4", "2025-02-30", "unreadable_event_time"),
    ("1", "10", "4", "2025-02-28T23:30:00.5-01:00", "duplicate"),
    ("1", "10", "4", "2025-02-28", None),
    ("1", "10", "3", "2025-03-01 00:30:00.500", None),
    ("1", "10", "4", None, "unparsable_row"),
    ("1", "10", "4", "20260221043221", "unreadable_event_time"),
    ("1", "10", "4", "9" * 40, "unreadable_event_time"),
    ("1", "10", "4", "0", "event_too_early"),
    ("1", "10", "4", "-1", "event_too_early"),
    ("1", "10", "4", "0001-01-01 00:00:00", "event_too_early"),
    ("1", "10", "4", "1989-12-31 23:59:59", "event_too_early"),
    ("1", "10", "4", "1990-01-01", None),
    ("1", "10", "4", "1767225599", None),
    ("1", "10", "4", "1767225600", "future_event"),
    ("9", "10", "4", "881250949", "unknown_user"),
    ("1", "99", "4", "881250949", "unknown_item"),
    ("1", "10", "5", "881250949", "duplicate"),
    ("9", "99", "bad", "bad", "unreadable_rating"),
]


_ORIGIN = "struct<number int, file string, day date, line string, row bigint, is_whole boolean>"


@pytest.fixture(scope="module")
def checked(spark: SparkSession):
    rows = [(*row[:4], (0, "f", None, "line", None, row[3] is not None)) for row in ROWS]
    raw = spark.createDataFrame(rows, f"u string, i string, r string, t string, {ORIGIN} {_ORIGIN}")
    users = spark.createDataFrame([("1",)], "user_id string")
    items = spark.createDataFrame([("10",), ("11",)], "item_id string")
    parsed = parse_interactions(raw, COLUMNS)
    return with_reasons(parsed, users, items, SPEC, now=NOW).collect()


def test_a_place_that_leads_beyond_the_years_is_no_time(spark: SparkSession) -> None:
    """A column of Unix times is no place: 3,600 s each, it leads to the year 195,000."""
    time = {"order": "t", "first_day": "2020-01-01", "spread_days": 1, "step_seconds": 3600}
    columns = Interactions.model_validate(
        {"file": "-", "user_id": "u", "item_id": "i", "synthetic_time": time}
    )
    places = ["24", "1700000000", str(2**62), str(-(2**62)), "-1700000000", "x"]
    raw = spark.createDataFrame(
        [("1", "10", place, (0, "f", None, "line", None, True)) for place in places],
        f"u string, i string, t string, {ORIGIN} {_ORIGIN}",
    )
    found = parse_interactions(raw, columns).collect()
    assert [row["at"] and row["at"].isoformat() for row in found] == ["2020-01-02T00:00:00"] + [
        None
    ] * 5


def test_each_row_gets_the_first_rule_it_breaks(checked) -> None:
    def text(value: str | None) -> str:
        return "" if value is None else value

    found = sorted(
        (text(r.user_id), text(r.item_id), text(r.rating), text(r.event_time), text(r.reason))
        for r in checked
    )
    # Ids are trimmed, in every file alike.
    expected = [(text(u).strip(), text(i).strip(), text(r), text(t), text(why))
                for u, i, r, t, why in ROWS]  # fmt: skip
    assert found == sorted(expected)


def test_every_reason_is_in_the_contract_and_has_a_case(checked) -> None:
    of_daily_files = {"event_of_another_day"}  # which tests/jobs/test_daily_files.py has
    found = {row.reason for row in checked if row.reason}
    assert found | of_daily_files == set(tables.QUARANTINE_REASONS)


def test_valid_rows_are_typed_to_the_microsecond(spark: SparkSession, checked) -> None:
    frame = spark.createDataFrame(
        [(r.item_id, r.user_id, r.value, r.at, None) for r in checked if r.reason is None],
        "item_id string, user_id string, value double, at timestamp, reason string",
    )
    valid = valid_interactions(frame, tables.interactions(SPEC))
    rows = valid.orderBy("item_id", "event_time").collect()
    assert [row.rating for row in rows] == [4.0, 4.0, 4.0, 4.0, 3.0, 4.0, 4.5]
    assert [row.event_time.astimezone(UTC) for row in rows[3:6]] == [
        datetime(2025, 2, 28, tzinfo=UTC),
        datetime(2025, 3, 1, 0, 30, 0, 500_000, tzinfo=UTC),
        datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC),
    ]
    assert rows[-1].event_time.astimezone(UTC) == datetime(
        1997, 12, 4, 15, 55, 49, 250_000, tzinfo=UTC
    )
