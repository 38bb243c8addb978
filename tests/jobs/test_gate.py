"""The gate lets a good model pass, and refuses each kind of bad one by its stated rule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jobs import gate
from schemas.errors import UserError


def _run(night, **options: Any) -> dict[str, Any]:
    night.write("model_metrics")
    gate.run(night.settings, night.ds, night.record("gate"), "melu", **options)
    return _decision(night)


def _decision(night) -> dict[str, Any]:
    return json.loads((night.settings.home / "gates" / "ds=1998-03-31.json").read_text())


def _set(night, metric: str, **changed: Any) -> None:
    for row in night.rows["model_metrics"]:
        if row["model"] == "melu" and row["metric"] == metric:
            row.update(changed)


def test_a_good_model_passes_and_absent_scenarios_are_said(night):
    decision = _run(night)
    assert decision["passed"]
    assert decision["model"] == "melu"
    assert "user_cold: MAE 0.8000, expected at most 0.9090" in "; ".join(decision["reasons"])
    assert "both_cold: no tasks that day, nothing to compare" in decision["reasons"]


@pytest.mark.parametrize(
    ("metric", "changed", "message"),
    [
        ("mae", {"value": 0.91}, "MAE 0.9100, expected at most 0.9090"),
        ("mae", {"baseline": None}, "damped-bias MAE is missing"),
        ("mae", {"value": float("nan")}, "melu user_cold mae is nan"),
        ("rmse", {"value": float("inf")}, "melu user_cold rmse is inf"),
        ("rmse", {"value": 0.1}, "0 <= MAE of expected <= RMSE"),
        ("ndcg5", {"value": 1.2}, r"nDCG@5 in 0\.\.1"),
        ("adaptation_gain", {"value": 0.0}, "adaptation gain 0.0000, expected more than 0"),
        ("adaptation_gain", {"model": "x"}, r"missing \['adaptation_gain'\]"),
        ("mae", {"run_id": "another"}, r"runs \['1998-.*', 'another'\], expected one"),
    ],
)
def test_a_bad_model_is_refused(night, metric, changed, message):
    _set(night, metric, **changed)
    if changed.get("value") == 0.91:
        _set(night, "rmse", value=1.0)
    with pytest.raises(UserError, match=message) as error:
        _run(night)
    assert "nothing is published" in str(error.value)
    assert not _decision(night)["passed"]


def test_the_tolerance_is_a_share_of_the_baseline(night):
    _set(night, "mae", value=0.94)
    _set(night, "rmse", value=1.0)
    with pytest.raises(UserError, match=r"expected at most 0\.9090"):
        _run(night)
    assert _run(night, tolerance=0.05)["passed"]


def test_without_new_users_there_is_nothing_to_judge_by(night):
    for row in night.rows["model_metrics"]:
        row["scenario"] = "warm"
    with pytest.raises(UserError, match=r"user_cold: no tasks of melu .* larger new_user_days"):
        _run(night)


def test_a_missing_evaluation_names_its_step(night):
    with pytest.raises(UserError, match="run the step evaluate"):
        gate.run(night.settings, night.ds, night.record("gate"), "melu")


def test_a_good_model_of_implicit_feedback_passes(implicit_night):
    reasons = "; ".join(_run(implicit_night)["reasons"])
    assert "user_cold: AUC 0.8000, expected at least 0.6930 (popularity's, less 1.0%)" in reasons
    assert "AUC 0.8000, HR@10 0.5000, nDCG@10 0.3000 over 12 tasks" in reasons
    assert "user_cold: adaptation gain 0.0500" in reasons


@pytest.mark.parametrize(
    ("metric", "changed", "message"),
    [
        ("auc", {"value": 0.69}, r"AUC 0\.6900, expected at least 0\.6930"),
        ("auc", {"baseline": None}, "popularity's AUC is missing"),
        ("auc", {"value": 1.1}, r"AUC, HR@10 and nDCG@10 in 0\.\.1: AUC 1\.1"),
        ("hr10", {"value": -0.1}, r"in 0\.\.1: .*HR@10 -0\.1"),
        ("ndcg10", {"value": 1.2}, r"in 0\.\.1: .*nDCG@10 1\.2"),
        ("logloss", {"value": float("nan")}, "melu user_cold logloss is nan"),
        ("logloss", {"model": "x"}, r"expected auc, hr10.*missing \['logloss'\]"),
        ("adaptation_gain", {"value": 0.0}, "adaptation gain 0.0000, expected more than 0"),
    ],
)
def test_a_bad_model_of_implicit_feedback_is_refused(implicit_night, metric, changed, message):
    _set(implicit_night, metric, **changed)
    with pytest.raises(UserError, match=message):
        _run(implicit_night)
    assert not _decision(implicit_night)["passed"]
