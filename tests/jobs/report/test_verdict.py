"""The verdict says what became of the day, and never that a stopped night was published."""

from __future__ import annotations

from jobs.report.attempts import Attempts
from jobs.report.sections.verdict import GateRule, verdict
from tests.jobs.night import DS, Row
from tests.jobs.report.nights import GATE, a_whole_night, begin, failure

REFUSAL = "the gate refuses melu for ds 1998-03-31: MAE 0.9. Train again."


def _until(step: str) -> list[Row]:
    told = a_whole_night(DS)
    return told[: next(n for n, entry in enumerate(told) if entry["step"] == step)]


def test_published():
    found = verdict(Attempts.of(a_whole_night(DS)))
    assert (found.state, found.headline) == ("published", "Published")
    assert found.sentence == "567 rows are in the warehouse."
    assert found.gate == GATE
    assert found.gate_in_short == "passed"
    assert found.rules == (
        GateRule(met=True, text="every metric is a finite number: all are"),
        GateRule(met=True, text="user_cold: MAE 0.8000"),
    )
    assert found.message == ""


def test_the_last_good_model_goes_on():
    words = "kept the last published model, 1998-03-30.melu.abc (the new one failed): MAE 0.9"
    told = [{**entry, "gate": words} if "gate" in entry else entry for entry in a_whole_night(DS)]
    found = verdict(Attempts.of(told))
    assert found.headline == "Published, with the last good model"
    assert found.gate_in_short == (
        "kept the last published model, 1998-03-30.melu.abc (the new one failed)"
    )


def test_refused_by_the_gate():
    refused = failure("gate", DS, begin(DS, 50), REFUSAL)
    rule = {**refused[0], "event": "progress", "message": "FAIL user_cold: MAE 0.9"}
    found = verdict(Attempts.of([*_until("gate"), refused[0], rule, refused[1]]))
    assert found.headline == "Not published"
    assert found.sentence == "The night stopped at gate."
    assert found.message == REFUSAL
    assert found.rules == (GateRule(met=False, text="user_cold: MAE 0.9"),)


def test_a_night_that_nobody_let_publish():
    found = verdict(Attempts.of(_until("publish")))
    assert found.headline == "Not published"
    assert found.sentence == "Publish has not run for this day."


def test_what_an_earlier_run_published_is_not_taken_for_this_one():
    refused = failure("gate", DS, begin(DS, 100), REFUSAL)
    found = verdict(Attempts.of([*a_whole_night(DS), *refused]))
    assert found.headline == "Not published again"
    assert found.sentence == (
        "The night stopped at gate. The warehouse holds what an earlier run of this day published."
    )


def test_a_publication_that_failed_after_one_that_did_not():
    failed = failure("publish", DS, begin(DS, 100), "the disk is full")
    assert verdict(Attempts.of([*a_whole_night(DS), *failed])).state == "outdated"
