"""What counts of a journal when a night is run, stops, and is run again."""

from __future__ import annotations

from itertools import chain

import pytest

from jobs.report.attempts import STEPS, Attempts
from tests.jobs.night import DS, Row
from tests.jobs.report.nights import SECONDS, a_whole_night, begin, entries, failure


def _told(*parts: list[Row]) -> Attempts:
    return Attempts.of(chain(*parts))


def test_a_whole_night_counts_whole():
    attempts = _told(a_whole_night(DS))
    assert all(attempts.current(step) for step in STEPS)
    assert attempts.stopped_at is None
    assert attempts.busy_seconds() == pytest.approx(SECONDS * len(STEPS))


def test_steps_side_by_side_count_their_seconds_once():
    first, second = (entries(name, DS, begin(DS)) for name in ("build_episodes", "build_metapaths"))
    second[-1].update(at=begin(DS) + 6, seconds=6.0)
    assert _told(first, second).busy_seconds() == pytest.approx(6)


def test_a_step_run_again_overtakes_the_stages_after_it():
    again = entries("evaluate", DS, begin(DS, 100))
    attempts = _told(a_whole_night(DS), again)
    for step in STEPS[: STEPS.index("evaluate") + 1]:
        assert attempts.current(step), step
    for step in STEPS[STEPS.index("evaluate") + 1 :]:
        assert attempts.current(step) is None, step
        assert attempts.overtaken_by(step) == "evaluate"
    assert attempts.why_without("publish") == "publish has not run again since evaluate did"


def test_a_step_run_again_does_not_overtake_its_own_stage():
    attempts = _told(a_whole_night(DS), entries("build_episodes", DS, begin(DS, 100)))
    assert attempts.current("build_metapaths")
    assert attempts.current("check_features") is None


def test_where_a_night_stopped_is_why_what_comes_after_is_missing():
    before = a_whole_night(DS)[:8]
    message = "2 expectations are not met:\n- a\n- b"
    attempts = _told(before, failure("check_features", DS, begin(DS, 50), message))
    assert attempts.stopped_at is not None
    assert attempts.stopped_at.message == message
    expected = "the night stopped at check_features: 2 expectations are not met"
    assert attempts.why_without("publish") == expected
    assert attempts.why_without("check_features") == expected


def test_a_retry_that_ends_well_takes_the_place_of_a_failure():
    told = [*failure("ingest", DS, begin(DS), "no"), *entries("ingest", DS, begin(DS, 1))]
    assert Attempts.of(told).stopped_at is None
    assert Attempts.of(told[:3]).why_without("gate") == (
        "the night stopped at ingest: it has not ended (it was killed, or is still running)"
    )


def test_nothing_was_run():
    attempts = Attempts.of([])
    assert attempts.why_without("gate") == "gate has not run for this day"
    assert attempts.busy_seconds() is None


def test_the_report_itself_is_no_part_of_the_night():
    told = a_whole_night(DS)
    assert _told(told, entries("report", DS, begin(DS, 100))) == _told(told)
