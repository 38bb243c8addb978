"""The gate lets a good model pass, and refuses each kind of bad one by its stated rule."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from jobs.steps import gate
from schemas.errors import UserError
from tests.jobs.night import RUN, of_lists


def _run(night, **options: Any) -> dict[str, Any]:
    night.write("model_metrics", "list_quality")
    gate.run(night.settings, night.ds, night.record("gate"), "melu", **options)
    return _decision(night)


def _decision(night) -> dict[str, Any]:
    return json.loads((night.settings.home / "gates" / f"ds={night.ds}.json").read_text())


def _without_tasks(night) -> None:
    """The day after, whose own model is trained; it has no held-out task to measure it on."""
    night.ds += timedelta(days=1)
    night.version = "fedcba987654"
    night.write_model()
    night.rows["model_metrics"] = night.rows["list_quality"] = []


def _set(night, metric: str, **changed: Any) -> None:
    for row in night.rows["model_metrics"]:
        if row["model"] == "melu" and row["metric"] == metric:
            row.update(changed)


def test_a_good_model_passes_and_absent_scenarios_are_said(night):
    decision = _run(night)
    assert decision["verdict"] == "challenger"
    assert decision["run_id"] == decision["challenger"] == RUN["run_id"]
    assert "user_cold: MAE 0.8000, expected less than 0.9000" in "; ".join(decision["reasons"])
    assert "both_cold: no tasks that day, nothing to compare" in decision["reasons"]


@pytest.mark.parametrize(
    ("metric", "changed", "message"),
    [
        ("mae", {"value": 0.9}, "MAE 0.9000, expected less than 0.9000"),
        ("mae", {"baseline": None}, "the MAE of the baseline .damped bias, rounded. is missing"),
        ("mae", {"value": float("nan")}, "melu user_cold mae is nan"),
        ("rmse", {"value": float("inf")}, "melu user_cold rmse is inf"),
        ("rmse", {"value": 0.1}, "0 <= MAE of expected <= RMSE"),
        ("ndcg5", {"value": 1.2}, r"nDCG@5 in 0\.\.1"),
        ("adaptation_gain", {"value": 0.0}, "adaptation gain 0.0000, expected more than 0"),
        ("adaptation_gain", {"model": "x"}, r"missing \['adaptation_gain'\]"),
        ("mae", {"run_id": "another"}, r"are of one run: 1998-.*, another"),
    ],
)
def test_a_bad_model_is_refused(night, metric, changed, message):
    _set(night, metric, **changed)
    with pytest.raises(UserError, match=message) as error:
        _run(night)
    assert "nothing is published" in str(error.value)
    assert _decision(night)["verdict"] == "neither"
    assert _decision(night)["run_id"] is None


def test_few_tasks_of_new_users_and_new_items_decide_nothing(night):
    """Where there are enough, the model has to beat the baseline there too."""
    rows = night.rows["model_metrics"]
    more = [{**row, "scenario": "both_cold", "n_tasks": 49} for row in rows]
    for row in more:
        row["baseline"] = 0.7 if row["metric"] == "mae" else None
    night.rows["model_metrics"] = rows + more
    assert _run(night)["verdict"] == "challenger"
    for row in more:
        row["n_tasks"] = 50
    with pytest.raises(UserError, match=r"both_cold: MAE 0\.8000, expected less than 0\.7000"):
        _run(night)


def test_a_model_that_holds_the_champion_takes_its_place(night):
    night.next_day(mae=0.808, champions=0.8)
    decision = _run(night)
    assert decision["verdict"] == "challenger"
    assert decision["run_id"] == "1998-04-01.melu.fedcba987654"
    said = "; ".join(decision["reasons"])
    assert f"at most 0.8080 (the last published model, {RUN['run_id']}, has 0.8000" in said


@pytest.mark.parametrize("mae", [0.809, 0.9])
def test_a_model_that_does_not_leaves_it_in_place(night, mae):
    """Whichever rule of quality it broke."""
    night.next_day(mae=mae, champions=0.8)
    decision = _run(night)
    assert decision["verdict"] == "champion"
    assert decision["run_id"] == RUN["run_id"]
    assert decision["challenger"] == "1998-04-01.melu.fedcba987654"
    assert not decision["by_hand"]


def test_the_tolerance_is_a_share_of_the_champion(night):
    night.next_day(mae=0.839, champions=0.8)
    assert _run(night)["verdict"] == "champion"
    assert _run(night, tolerance=0.05)["verdict"] == "challenger"


def test_a_person_may_choose_the_new_model_whatever_its_quality(night):
    night.next_day(mae=0.85, champions=0.8)
    decision = _run(night, choose="challenger")
    assert decision["verdict"] == "challenger"
    assert decision["by_hand"]
    assert "0.8500, expected at most 0.8080" in decision["reasons"][0]


@pytest.mark.parametrize("choice", ["compare", "challenger", "champion"])
def test_no_choice_publishes_figures_that_make_no_sense(night, choice):
    night.next_day(mae=float("nan"), champions=0.8)
    with pytest.raises(UserError, match="melu user_cold mae is nan") as error:
        _run(night, choose=choice)
    assert _decision(night)["verdict"] == "neither"
    assert "Train again or publish another MODEL" in str(error.value)
    assert "--choose" not in str(error.value)


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_a_champion_without_figures_is_not_compared_with(night, metric):
    night.next_day(mae=0.808, champions=0.8)
    for row in night.rows["model_metrics"]:
        if (row["model"], row["metric"]) == ("champion", metric):
            row["value"] = float("nan")
    assert _run(night)["verdict"] == "challenger"


def test_a_lead_that_is_no_number_is_none(night):
    night.rows["list_quality"] = of_lists(melu=0.2, popularity=0.1, item_knn=0.1)
    for row in night.rows["list_quality"]:
        if row["model"] == "item_knn":
            row["lead_high"] = float("nan")
    with pytest.raises(UserError, match="behind item_knn by more than chance explains"):
        _run(night)


def test_a_first_model_that_is_not_good_enough_may_be_chosen_and_what_runs_then_is_said(night):
    _set(night, "mae", value=0.9)
    with pytest.raises(UserError, match="--choose challenger; then run select_evidence and score"):
        _run(night)


def test_a_person_may_keep_the_champion(night):
    with pytest.raises(UserError, match="no model was published before that could go on"):
        _run(night, choose="champion")
    night.next_day(mae=0.7, champions=0.8)
    decision = _run(night, choose="champion")
    assert (decision["verdict"], decision["by_hand"]) == ("champion", True)
    assert decision["run_id"] == RUN["run_id"]


def test_without_new_users_there_is_nothing_to_judge_by(night):
    for row in night.rows["model_metrics"]:
        row["scenario"] = "warm"
    with pytest.raises(UserError, match=r"user_cold: no tasks of melu .* larger new_user_days"):
        _run(night)


def test_a_day_without_held_out_tasks_keeps_the_champion(night):
    night.publish()
    _without_tasks(night)
    decision = _run(night)
    assert (decision["verdict"], decision["run_id"]) == ("champion", RUN["run_id"])
    assert decision["challenger"] == f"{night.ds}.melu.fedcba987654"
    [reason] = decision["reasons"]
    assert reason.startswith("user_cold: no tasks of melu that day")
    assert not decision["by_hand"]


@pytest.mark.parametrize("choice", ["challenger", "champion"])
def test_a_person_may_choose_either_model_of_a_day_without_held_out_tasks(night, choice):
    night.publish()
    _without_tasks(night)
    decision = _run(night, choose=choice)
    assert (decision["verdict"], decision["by_hand"]) == (choice, True)
    challenger = f"{night.ds}.melu.fedcba987654"
    assert decision["run_id"] == {"challenger": challenger, "champion": RUN["run_id"]}[choice]


def test_a_first_day_without_held_out_tasks_is_published_by_hand_alone(night):
    _without_tasks(night)
    with pytest.raises(UserError, match="no model was published before") as error:
        _run(night)
    assert "of one run" not in str(error.value)
    assert _decision(night)["verdict"] == "neither"
    decision = _run(night, choose="challenger")
    assert decision["run_id"] == decision["challenger"] == f"{night.ds}.melu.fedcba987654"


def test_a_missing_evaluation_names_its_step(night):
    with pytest.raises(UserError, match="run the step evaluate"):
        gate.run(night.settings, night.ds, night.record("gate"), "melu")


def test_a_good_model_of_implicit_feedback_passes(implicit_night):
    reasons = "; ".join(_run(implicit_night)["reasons"])
    assert "user_cold: AUC 0.8000, expected more than 0.7000 (popularity)" in reasons
    assert "AUC 0.8000, HR@10 0.5000, nDCG@10 0.3000 over 12 tasks" in reasons
    assert "user_cold: adaptation gain 0.0500" in reasons


@pytest.mark.parametrize(
    ("metric", "changed", "message"),
    [
        ("auc", {"value": 0.69}, r"AUC 0\.6900, expected more than 0\.7000"),
        ("auc", {"baseline": None}, "the AUC of the baseline .popularity. is missing"),
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
    assert _decision(implicit_night)["verdict"] == "neither"


@pytest.mark.parametrize(
    "best", ["popularity", "recent_popularity", "segment_popularity", "item_knn"]
)
def test_lists_behind_any_of_their_peers_are_refused(night, best):
    others = {"popularity": 0.1, "item_knn": 0.1, "ease": 0.9} | {best: 0.2}
    night.rows["list_quality"] = of_lists(melu=0.15, **others)
    behind = rf"lists 0\.1500 .* behind {best} by more .* behind the 0\.2000 of {best} by 0\.0500, "
    with pytest.raises(UserError, match=behind + r".* -0\.0600 to -0\.0400"):
        _run(night)


def test_not_the_best_peer_alone_can_be_ahead_beyond_chance(night):
    """A best one whose lead varies from user to user says less than the next best, if that is
    ahead of nearly every user's list."""
    night.rows["list_quality"] = of_lists(melu=0.15, item_knn=0.2, popularity=0.19, ease=0.1)
    for row in night.rows["list_quality"]:
        if row["model"] == "item_knn" and row["metric"] == "ndcg10":
            row.update(lead_low=-0.11, lead_high=0.01)
    with pytest.raises(UserError, match=r"and behind popularity by more than chance") as error:
        _run(night)
    assert "any of the 2 methods that the gate compares with" in str(error.value)
    assert "of item_knn" not in str(error.value)


def test_every_peer_that_is_ahead_is_named(night):
    night.rows["list_quality"] = of_lists(melu=0.15, item_knn=0.2, popularity=0.19)
    with pytest.raises(
        UserError, match=r"behind popularity and item_knn by more .*0\.2000 of item"
    ):
        _run(night)


def test_a_difference_that_chance_explains_is_none(night):
    night.rows["list_quality"] = of_lists(melu=0.195, popularity=0.2, item_knn=0.1)
    [reason] = [text for text in _run(night)["reasons"] if "of lists" in text]
    assert "over 30 users, not behind any of the 2 methods that the gate compares with; " in reason
    nearest = "behind the 0.2000 of popularity by 0.0050, 95% interval of the lead -0.0150 to "
    assert nearest + "+0.0050, so that the rule refuses a loss of more than 0.0100" in reason
    assert "item_knn" not in reason


def test_lists_of_few_users_are_said_and_decide_nothing(night):
    night.rows["list_quality"] = of_lists(n_users=29, melu=0.1, popularity=0.2)
    assert "lists of 29 users, too few to judge (expected at least 30)" in "; ".join(
        _run(night)["reasons"]
    )
    night.rows["list_quality"] = []
    assert "lists of 0 users, too few to judge" in "; ".join(_run(night)["reasons"])


def test_lists_behind_the_champions_leave_it_in_place(night):
    night.next_day(mae=0.8)
    night.rows["list_quality"] = of_lists("1998-04-01.melu.fedcba987654", melu=0.2, champion=0.22)
    with_popularity = of_lists("1998-04-01.melu.fedcba987654", melu=0.2, popularity=0.1)
    night.rows["list_quality"] += [r for r in with_popularity if r["model"] == "popularity"]
    decision = _run(night)
    assert decision["verdict"] == "champion"
    reasons = "; ".join(decision["reasons"])
    assert "expected not behind the last published model; behind the 0.2200 of champion" in reasons


def test_the_lists_are_of_the_metrics_run(night):
    night.rows["list_quality"] = of_lists("another", melu=0.2, popularity=0.1)
    with pytest.raises(UserError, match=r"are of one run: 1998-.*, another"):
        _run(night)
