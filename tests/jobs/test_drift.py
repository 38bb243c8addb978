"""A night that differs much from the one before is told so, and goes on."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from jobs.steps import checks
from jobs.tools import summary
from schemas.run import journal
from tests.jobs.night import DS, NIGHT, Night, Row

BEFORE = DS - timedelta(days=2)
ALIKE = {5.0: 4, 1.0: 4}


@pytest.fixture
def night(night: Night, settings: Any) -> Night:
    """The small night, with the tests' Spark."""
    return replace(night, settings=settings)


def _events(day: date, ratings: Mapping[float, int]) -> list[Row]:
    [event, *_] = NIGHT["interactions"]
    at = datetime.combine(day, time(12), UTC)
    return [
        {**event, "user_id": f"u{rating}-{n}", "rating": rating, "event_time": at}
        for rating, number in ratings.items()
        for n in range(number)
    ]


def _write(
    night: Night, day: date, ratings: Mapping[float, int] = ALIKE, **tables: list[Row]
) -> None:
    interactions = _events(day, ratings)
    night.ds, night.rows = day, {**deepcopy(NIGHT), "interactions": interactions, **tables}
    night.write()


def _warnings(night: Night, check: str) -> list[str]:
    with journal.step(night.settings.journals, check, DS) as record:
        night.decide()
        model = {"model": "melu"} if check == "check_outputs" else {}
        getattr(checks, check)(night.settings, DS, record, **model)
    warnings: list[str] = record.facts["warnings"]
    return warnings


def test_a_night_like_the_one_before_and_a_first_night_have_no_warnings(night: Night) -> None:
    _write(night, DS)
    assert _warnings(night, "check_features") == []
    _write(night, BEFORE)
    for check in ("check_interactions", "check_features", "check_outputs"):
        assert _warnings(night, check) == []


def test_a_day_of_few_events_and_other_ratings(night: Night) -> None:
    _write(night, BEFORE, {5.0: 400})
    _write(night, DS, {5.0: 60, 1.0: 60})
    few, other = _warnings(night, "check_interactions")
    assert "there are about as many rows as at the previous ds" in few
    assert "for example what=interactions of the day" in few
    assert "ratings are distributed about as at the previous ds" in other
    page = night.settings.data_docs / f"ds={DS}" / "check_interactions" / "drift.html"
    assert "about as many rows as at the previous ds" in page.read_text()
    assert "✗" in (page.parent / "index.html").read_text()


@pytest.mark.parametrize("ratings", [{5.0: 70, 1.0: 50}, {5.0: 40, 1.0: 80}])
def test_chance_alone_is_no_drift(night: Night, ratings: Mapping[float, int]) -> None:
    _write(night, BEFORE, {5.0: 60, 1.0: 60})
    _write(night, DS, ratings)
    assert _warnings(night, "check_interactions") == []


def test_each_scenario_is_counted_by_itself(night: Night) -> None:
    [train, test, *served] = NIGHT["episodes"]
    more = [{**test, "task_id": f"t{n}"} for n in range(4)]
    _write(night, BEFORE, episodes=[train, *more, *served])
    _write(night, DS)
    [warning] = _warnings(night, "check_features")
    assert "for example what=episodes: test warm" in warning
    assert "1 of 5 rows" in warning


def test_a_night_of_long_ago_says_nothing(night: Night) -> None:
    _write(night, DS - timedelta(days=8), {5.0: 400})
    _write(night, DS, {1.0: 20})
    assert _warnings(night, "check_interactions") == []


def test_warnings_are_reported_at_the_end(night: Night) -> None:
    _write(night, BEFORE, {5.0: 400})
    _write(night, DS, {5.0: 20})
    expected = _warnings(night, "check_interactions")
    _warnings(night, "check_features")
    assert len(expected) == 1
    assert summary._warnings(night.settings, DS) == expected


def test_a_day_without_rows_is_compared_too(night: Night) -> None:
    _write(night, BEFORE, cold_user_scores=[])
    _write(night, DS)
    [came] = _warnings(night, "check_outputs")
    assert "what=cold_user_scores" in came
    _write(night, BEFORE)
    _write(night, DS, cold_user_scores=[])
    [went] = _warnings(night, "check_outputs")
    assert "what=cold_user_scores" in went
