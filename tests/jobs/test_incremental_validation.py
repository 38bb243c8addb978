"""A day that was found good is not looked at again, until it or what is asked of it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from jobs.checks import incremental
from jobs.steps import checks
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.tables import lake as tables
from tests.jobs.night import DS, SPEC, Night

EARLIER = DS - timedelta(days=1)
INTERACTIONS = tables.interactions(SPEC)


@pytest.fixture
def night(night: Night, settings: Any) -> Night:
    """Two days of the small night, with the tests' Spark."""
    night = replace(night, settings=settings)
    night.write()
    _write(night, EARLIER)
    return night


def _write(night: Night, day: date, rating: float = 4.0) -> None:
    at = night.rows["interactions"][0]["event_time"] - (DS - day)
    night.rows["interactions"] = [
        {"user_id": "u1", "item_id": "i1", "rating": rating, "event_time": at}
    ]
    night.ds = day
    night.write("interactions")
    night.ds = DS


def _check(night: Night) -> int:
    record = night.record("check_interactions")
    checks.check_interactions(night.settings, DS, record)
    assert record.rows_in is not None
    return record.rows_in - len(night.rows["interactions_quarantine"])


def test_good_days_are_checked_once_and_the_last_one_always(night: Night) -> None:
    assert _check(night) == 6 + 1
    assert _check(night) == 6
    _write(night, EARLIER)
    assert _check(night) == 6 + 1, "another version of the day"


def test_a_day_that_fails_is_checked_again(night: Night) -> None:
    _write(night, EARLIER, rating=9.0)
    for _ in range(2):
        with pytest.raises(UserError, match=r"1 of 7 rows break it.*rating=9\.0"):
            _check(night)


def test_other_contracts_make_marks_void(night: Night) -> None:
    lake = Lake(root=night.settings.lake)
    days = incremental.days_to_check(lake, INTERACTIONS, DS)
    incremental.mark_checked(days.values(), INTERACTIONS)
    assert list(incremental.days_to_check(lake, INTERACTIONS, DS)) == [DS]
    rating = replace(INTERACTIONS.column("rating"), maximum=4)
    others = (rating if column.name == "rating" else column for column in INTERACTIONS.columns)
    stricter = replace(INTERACTIONS, columns=tuple(others))
    assert list(incremental.days_to_check(lake, stricter, DS)) == [EARLIER, DS]


def test_a_version_that_is_gone_has_no_mark(night: Night) -> None:
    lake = Lake(root=night.settings.lake)
    days = incremental.days_to_check(lake, INTERACTIONS, DS)
    _write(night, EARLIER)
    incremental.mark_checked(days.values(), INTERACTIONS)
    assert not days[EARLIER].exists()
    assert EARLIER in incremental.days_to_check(lake, INTERACTIONS, DS)
