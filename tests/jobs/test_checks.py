"""The checks let a good night pass, and say of each kind of fault what, where and what to do."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.steps import checks
from schemas.dataset import choice as dataset_choice
from schemas.errors import UserError
from schemas.lake import Lake
from tests.jobs.night import of_lists


@pytest.fixture
def night(night, settings):
    """The small night, with the tests' Spark."""
    return replace(night, settings=settings)


def test_a_good_night_passes_and_leaves_data_docs(night, tmp_path, monkeypatch):
    night.write()
    night.decide()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    for name in ("check_interactions", "check_features", "check_outputs"):
        record = night.record(name)
        model = {"model": "melu"} if name == "check_outputs" else {}
        getattr(checks, name)(night.settings, night.ds, record, **model)
        assert record.rows_in > 0
        index = Path(record.facts["data_docs"])
        assert index == night.settings.data_docs / f"ds={night.ds}" / name / "index.html"
        pages = {path.name: path.read_text() for path in index.parent.glob("*.html")}
        assert len(pages) >= 3
        assert "✗" not in pages["index.html"]
        for page in pages.values():
            assert not re.search(
                r'(src|href)="(https?:)?//', page.replace("greatexpectations.io", "")
            ), page
            assert "<script" not in page
    assert list(scratch.iterdir()) == [], "nothing outside the home"


INTERACTION_FAULTS = [
    (
        lambda rows: (
            rows["interactions"][0].update(rating=None),
            rows["interactions"][1].update(rating=7.0),
            rows["interactions"][2].update(rating=float("nan")),
            rows["interactions"].append(dict(rows["interactions"][5])),
            rows["interactions_quarantine"][0].update(reason="because"),
        ),
        [
            r"interactions: expected that rating is filled in .*; found 1 of 7 rows break it, "
            r"for example user_id=u1 item_id=i1 event_time=1998-03-30 12:00:00",
            r"rating is at least 1 and at most 5 .*user_id=u1 item_id=i2.*rating=7.0",
            r"interactions: expected that rating is a finite number .*user_id=u2 item_id=i1",
            r"interactions: expected that user_id \+ item_id \+ event_time names one row only .*"
            r"2 of 7 rows.*user_id=u3 item_id=i2",
            r"interactions_quarantine: expected that reason is one of unparsable_row, .*because",
            r"Correct the data or the step that wrote it \(ingest\), and run that step again",
            r"Data Docs: .*check_interactions/index.html",
        ],
    ),
    (
        lambda rows: rows["interactions"].clear(),
        [r"interactions: expected that there are rows .*; found 0"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("break_", "messages"), INTERACTION_FAULTS)
def test_faults_of_interactions(night, break_, messages):
    break_(night.rows)
    night.write()
    with pytest.raises(UserError) as error:
        checks.check_interactions(night.settings, night.ds, night.record("check_interactions"))
    for message in messages:
        assert re.search(message, str(error.value)), f"{message}\nnot in\n{error.value}"


def test_interactions_are_those_of_all_days_up_to_ds_and_none_later(night):
    night.write()
    for day, rating in ((date(1998, 3, 29), 9.0), (date(1998, 4, 1), 8.0)):
        night.ds = day
        night.rows["interactions"] = [dict(night.rows["interactions"][0], rating=rating)]
        night.write("interactions")
    night.ds = date(1998, 3, 31)
    with pytest.raises(UserError, match=r"1 of 7 rows break it.*rating=9.0") as error:
        checks.check_interactions(night.settings, night.ds, night.record("check_interactions"))
    assert "8.0" not in str(error.value)


def test_faults_of_features_all_in_one_error(night):
    episodes = night.rows["episodes"]
    episodes[0].update(query_items=[2, 99], query_ratings=[3.0, 6.0], query_days=[9, 9])
    episodes[1].update(support_ratings=[4.0], scenario="tepid", user_index=77)
    episodes[2].update(query_items=[3], query_ratings=[3.0])
    episodes[3].update(support_items=[1, None, 1], support_ratings=[4.0, 4.0, 4.0])
    episodes.append({**episodes[0], "task_id": "u1/none", "query_items": [], "query_ratings": []})
    neighbours = night.rows["metapath_neighbours"]
    neighbours[0].update(neighbours=[1, 2, 4, 4, 88])
    neighbours[1].update(item_index=66, neighbours=list(range(1, 66)))
    neighbours[2].update(metapath="UMXM")
    night.rows["item_profiles"][3].update(is_new=True)
    night.rows["vocabulary"][0].update(index=0)
    night.rows["user_profiles"].append(dict(night.rows["user_profiles"][0]))
    night.write()
    with pytest.raises(UserError) as error:
        checks.check_features(night.settings, night.ds, night.record("check_features"))
    for message in (
        r"support and query share no item .*task_id=u1/warm/train shared_items=1",
        r"every item has an item profile .*task_id=u1/warm/train unknown_items=1",
        r"every element of query_ratings is filled in, at least 1, at most 5 .*u1/warm/train",
        r"every support item has one rating .*task_id=u1/warm/test",
        r"scenario is one of warm, .*task_id=u1/warm/test scenario=tepid",
        r"the user has a user profile .*task_id=u1/warm/test",
        r"a serve task has no query, any other task has one .*2 of 5 rows.*u2/warm/serve",
        r"every element of support_items is filled in.*task_id=u3/warm/serve",
        r"no item comes twice in the support or in the query .*task_id=u3/warm/serve",
        r"vocabulary: expected that index is at least 1 .*feature=user.gender value=F index=0",
        r"user_profiles: expected that user_id names one row only .*user_id=u1",
        r"no item is its own neighbour .*item_index=1 metapath=UMUM own_neighbour=1",
        r"no neighbour comes twice .*item_index=1 metapath=UMUM repeated_neighbours=1",
        r"every neighbour has an item profile .*item_index=1 metapath=UMUM unknown_neighbours=1",
        r"no neighbour is a new item .*item_index=1 metapath=UMUM new_neighbours=1",
        r"no more neighbours than the .*1 of 8 rows.*item_index=66.* too_many_neighbours=1",
        r"metapath_neighbours: expected that the item has an item profile .*item_index=66",
        r"metapath is one of UMUM, UMGM .*metapath=UMXM",
        r"\(build_episodes, build_metapaths, build_profiles\)",
    ):
        assert re.search(message, str(error.value)), f"{message}\nnot in\n{error.value}"
    page = (night.settings.data_docs / f"ds={night.ds}/check_features/episodes.html").read_text()
    assert "support and query share no item" in page
    assert "✗" in page


def _check_outputs(night):
    """Of a model that the gate let pass."""
    night.decide()
    checks.check_outputs(night.settings, night.ds, night.record("check_outputs"), "melu")


def test_faults_of_outputs(night):
    scores = night.rows["cold_user_scores"]
    scores[0].update(item_id="i2")  # rated
    scores[1].update(rank=3)
    scores[2].update(model="other")
    night.rows["evidence_items"][1].update(evidence_score=0.9)
    night.rows["model_metrics"][0].update(value=float("inf"))
    night.rows["quality_by_support"][0].update(n_support_to=2)
    night.rows["calibration"][0].update(bin=11, model="other")
    night.write()
    with pytest.raises(UserError) as error:
        _check_outputs(night)
    for message in (
        r"no item that the user has already rated is recommended .*user_id=u2 rank=1",
        r"ranks of a user run from 1 without a gap .*user_id=u2 rank=3",
        r"model is one of melu .*user_id=u3 rank=1 model=other",
        r"evidence_score is discriminative_value x popularity_value .*rank=2",
        r"model_metrics: expected that value is a finite number .*model=melu",
        r"n_support_to is at least n_support_from .*scenario=user_cold n_support_from=3",
        r"calibration: expected that bin is at least 1 and at most 10 .*bin=11",
        r"calibration: expected that model is one of melu .*model=other",
    ):
        assert re.search(message, str(error.value)), f"{message}\nnot in\n{error.value}"
    scores[1].update(rank=2, p_like=0.9)
    night.write()
    with pytest.raises(UserError, match="the column that ranked_by names never rises"):
        _check_outputs(night)


def test_faults_of_lists(night):
    scores, judged = night.rows["cold_user_scores"], night.rows["list_quality"]
    scores[0].update(p_like=1.5)
    scores[1].update(score_low=4.0, score_high=3.0)
    scores[2].update(ranked_by="stars")
    judged[0].update(low=0.3)
    judged[1].update(n_users=29)
    judged[2].update(model="other")
    night.rows["list_quality"] = [row for row in judged if row["model"] != "popularity"]
    night.write()
    with pytest.raises(UserError) as error:
        _check_outputs(night)
    for message in (
        r"p_like and p_choice are between 0 and 1 .*user_id=u2 rank=1",
        r"interval's lower end is not above its upper end .*user_id=u2 rank=2",
        r"ranked_by is one of the three orders .*user_id=u3 rank=1",
        r"list_quality: .*lower end is not above .*known=3",
        r"all lists of a scenario and number known are judged on the same users .*known=all",
        r"popularity is judged wherever another list of trained items is",
        r"list_quality: expected that model is one of melu, champion.*model=other",
    ):
        assert re.search(message, str(error.value)), f"{message}\nnot in\n{error.value}"


def test_lists_of_new_items_have_other_peers_and_users_may_differ_by_what_is_known(night):
    judged = night.rows["list_quality"]
    judged += of_lists(n_users=12, scenario="item_cold", melu=0.1, content_knn=0.2)
    for row in judged:
        row["n_users"] -= row["known"] == "3"
    night.write()
    _check_outputs(night)


@pytest.mark.parametrize(("by", "column"), [("choice", "p_choice"), ("rating", "score")])
def test_a_list_is_in_the_order_that_it_says(night, by, column):
    for row in night.rows["cold_user_scores"]:
        row.update(ranked_by=by, p_like=0.1 * row["rank"])  # the other way round
    night.write()
    _check_outputs(night)
    night.rows["cold_user_scores"][1][column] = 0.99 if by == "choice" else 9.0
    night.write()
    with pytest.raises(UserError, match="the column that ranked_by names never rises"):
        _check_outputs(night)


def test_a_sampled_negative_may_be_recommended_and_a_chosen_item_not(implicit_night, settings):
    night = replace(implicit_night, settings=settings)
    dataset_choice.bind(settings.lake, implicit_night.settings.lake / "dataset.toml")
    for row in night.rows["episodes"]:
        row.update(support_ratings=[1.0, 0.0][: len(row["support_items"])])
    for item, is_refused in (("i2", False), ("i1", True)):
        night.rows["cold_user_scores"][0].update(item_id=item)
        night.write()
        if is_refused:
            with pytest.raises(
                UserError, match=r"already rated is recommended .*user_id=u2 rank=1"
            ):
                _check_outputs(night)
        else:
            _check_outputs(night)


def test_metrics_are_those_of_the_feedback(implicit_night, settings):
    night = replace(implicit_night, settings=settings)
    dataset_choice.bind(settings.lake, implicit_night.settings.lake / "dataset.toml")
    night.rows["model_metrics"][0].update(metric="rmse")
    night.write()
    with pytest.raises(UserError, match=r"metric is one of auc, hr10, .*metric=rmse"):
        _check_outputs(night)


def test_a_day_without_cold_users_is_legal(night):
    night.rows["cold_user_scores"] = []
    night.write()
    _check_outputs(night)


def test_a_day_without_held_out_tasks_is_legal(night):
    """The model published last goes on without figures: tests/jobs/test_gate.py."""
    for name in ("evidence_quality", "model_metrics", "list_quality"):
        night.rows[name] = []
    night.rows["quality_by_support"] = night.rows["calibration"] = []
    night.write()
    _check_outputs(night)


def test_files_that_break_their_contract_are_named_before_spark_reads_them(night):
    night.write()
    lake = Lake(root=night.settings.lake)
    with lake.replacing("vocabulary", night.ds) as draft:
        pq.write_table(pa.table({"feature": ["a"], "index": [1.5]}), draft.path / "part-0.parquet")
        draft.rows = 1
    (lake.partition("episodes", night.ds) / "part-0.parquet").write_bytes(b"PAR1 torn")
    with pytest.raises(UserError) as error:
        checks.check_features(night.settings, night.ds, night.record("check_features"))
    assert "column 'value' is missing" in str(error.value)
    assert "column 'index' is float64, expected int32" in str(error.value)
    assert re.search(
        r"part-0.parquet is not readable Parquet .*run the step build_episodes", str(error.value)
    )


def test_a_missing_partition_names_the_step_that_makes_it(night):
    night.write("vocabulary")
    with pytest.raises(UserError, match="run the step build_profiles"):
        checks.check_features(night.settings, night.ds, night.record("check_features"))


def test_progress_is_in_the_journal(night):
    night.write()
    record = night.record("check_interactions")
    checks.check_interactions(night.settings, night.ds, record)
    lines = [json.loads(line) for line in record.file.read_text().splitlines()]
    assert lines[0]["message"] == "days of interactions to check: 1"
    assert lines[1]["message"] == "interactions: 6 rows, 9 of 9 expectations met"


def test_lists_that_nobody_could_judge_are_legal_and_odd_figures_are_not(night):
    quality = night.rows["evidence_quality"]
    night.rows["evidence_quality"] = []
    night.write()
    _check_outputs(night)
    quality[0].update(n_users=29, mae_minus_popularity_low=0.3)
    quality[1].update(list="random")
    night.rows["evidence_quality"] = quality
    night.write()
    with pytest.raises(UserError) as error:
        _check_outputs(night)
    for message in ("lower end is not above", "judged on the same users", "judged wherever"):
        assert message in str(error.value)
