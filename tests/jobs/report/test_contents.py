"""What a report reads: changes of the list, the days before and none after, what is missing."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import pytest

from jobs.report.contents import Contents, gather
from jobs.report.night import Night as FoundNight
from jobs.report.sections import elicitation, evidence, lists, operation, quality, training
from schemas.lake import Lake
from schemas.tables.products import (
    CHAMPION,
    EVIDENCE_LISTS,
    LIST_ORDERS,
    LIST_PEERS,
    NEW_ITEM_PEERS,
)
from tests.jobs.night import DS, NIGHT, Night, Row
from tests.jobs.report import nights


@pytest.fixture
def night(night: Night) -> Night:
    nights.complete(night)
    return night


def _found(night: Night) -> FoundNight:
    return FoundNight.read(night.settings, night.ds, "melu")


def _contents(night: Night) -> Contents:
    return gather(_found(night))


def _write_at(night: Night, ds: date, table: str, rows: list[Row]) -> None:
    other = Night(night.settings, ds=ds, rows={table: rows})
    other.write()


def _listed(*items: str) -> list[Row]:
    """An evidence list of these items, in order."""
    like = NIGHT["evidence_items"][0]
    return [
        {**like, "rank": rank, "item_id": item, "title": f"Film {item}"}
        for rank, item in enumerate(items, start=1)
    ]


def test_what_changed_since_the_list_before(night: Night) -> None:
    _write_at(night, DS - timedelta(days=9), "evidence_items", _listed("x", "y"))
    _write_at(night, DS - timedelta(days=3), "evidence_items", _listed("a", "b", "c", "d"))
    _write_at(night, DS + timedelta(days=1), "evidence_items", _listed("e", "z"))
    _write_at(night, DS, "evidence_items", _listed("c", "b", "a", "e"))
    found = evidence.evidence(_found(night)).content
    assert found is not None
    assert found.previous == DS - timedelta(days=3)
    [everyone] = found.lists
    assert [item.previous_rank for item in everyone.items] == [3, 2, 1, None]
    assert everyone.n_new == 1
    assert everyone.left == ("Film d",)


def test_what_the_items_of_a_list_cover(night: Night) -> None:
    kinds = [(10, [1, 2]), (12, [2, 3]), (0, []), (11, [4, 0])]  # 0: unknown
    profiles = zip(NIGHT["item_profiles"], kinds, strict=True)
    rows = [{**row, "release_year": year, "genres": genres} for row, (year, genres) in profiles]
    _write_at(night, DS, "item_profiles", rows)
    segment = [{**row, "segment": "a=1"} for row in _listed("i3")]
    _write_at(night, DS, "evidence_items", [*segment, *_listed("i1", "i2", "gone")])
    found = evidence.evidence(_found(night)).content
    assert found is not None
    covered = [
        {each.attribute: (each.n_listed, each.n_values) for each in of_list.coverage}
        for of_list in found.lists
    ]
    assert covered == [
        {"release_year": (2, 3), "genres": (3, 4)},
        {"release_year": (0, 3), "genres": (0, 4)},
    ]


def test_lists_are_compared_by_segment_and_everyones_comes_first(night: Night) -> None:
    of_segment = [{**row, "segment": "a=1"} for row in _listed("p", "q")]
    _write_at(night, DS - timedelta(days=1), "evidence_items", _listed("a"))
    _write_at(night, DS, "evidence_items", [*of_segment, *_listed("a")])
    found = evidence.evidence(_found(night)).content
    assert found is not None
    everyone, segment = found.lists
    assert (everyone.segment, everyone.has_previous, everyone.n_new) == ("all", True, 0)
    assert (segment.segment, segment.has_previous) == ("a=1", False)


def test_a_first_list_has_nothing_to_compare_with(night: Night) -> None:
    found = evidence.evidence(_found(night)).content
    assert found is not None
    assert found.previous is None
    assert not found.lists[0].has_previous


def test_thirty_days_of_metrics_with_gaps_and_no_later_day(night: Night) -> None:
    def metrics(mae: float) -> list[Row]:
        return [
            {**row, "value": mae} if row["model"] == "melu" else row
            for row in night.rows["model_metrics"]
        ]

    for days, mae in ((30, 0.1), (29, 0.2), (2, 0.3)):
        _write_at(night, DS - timedelta(days=days), "model_metrics", metrics(mae))
    _write_at(night, DS + timedelta(days=1), "model_metrics", metrics(0.4))
    found = quality.quality(_found(night)).content
    assert found is not None
    assert (found.days[0], found.days[-1]) == (DS - timedelta(days=29), DS)
    courses = {course.scenario: course for course in found.courses["mae"]}
    cold = courses["user_cold"]
    assert cold.own == (0.2, *[None] * 26, 0.3, None, 0.8)
    assert cold.baseline == (0.9, *[None] * 26, 0.9, None, 0.9)
    assert courses["warm"].own == (None,) * 30
    assert found.baseline("user_cold", "mae") == 0.9


def test_the_champion_stands_beside_the_nights_own_model(night: Night) -> None:
    own = [row for row in night.rows["model_metrics"] if row["model"] == "melu"]
    champion = [{**row, "model": "champion", "value": 0.7} for row in own]
    night.rows["model_metrics"] = [*champion, *night.rows["model_metrics"]]
    night.write("model_metrics")
    found = quality.quality(_found(night)).content
    assert found is not None
    lines = found.lines["user_cold"]
    assert [line.model for line in lines] == ["melu", "champion", "damped_bias"]
    assert found.model == "melu"
    assert found.own("user_cold", "mae") == 0.8
    assert next(each for each in found.courses["mae"] if each.own[-1]).own[-1] == 0.8


def test_a_day_that_other_code_wrote_is_named_and_not_drawn(night: Night) -> None:
    other = DS - timedelta(days=1)
    with Lake(root=night.settings.lake).replacing("model_metrics", other) as draft:
        (draft.path / "part-0.parquet").write_bytes(b"not Parquet")
        draft.rows = 1
    found = quality.quality(_found(night)).content
    assert found is not None
    assert found.unreadable == (other,)


def test_a_table_that_cannot_be_read_costs_its_own_section_only(night: Night) -> None:
    with Lake(root=night.settings.lake).replacing("calibration", DS) as draft:
        (draft.path / "part-0.parquet").write_bytes(b"not Parquet")
        draft.rows = 1
    found = _contents(night)
    assert found.calibration.content is None
    assert found.calibration.note is not None
    assert "what evaluate left cannot be read" in found.calibration.note
    assert found.by_support.content is not None


def test_a_list_before_that_cannot_be_read_is_not_compared_with(night: Night) -> None:
    with Lake(root=night.settings.lake).replacing("evidence_items", DS - timedelta(1)) as draft:
        (draft.path / "part-0.parquet").write_bytes(b"not Parquet")
        draft.rows = 1
    found = evidence.evidence(_found(night))
    assert found.content is not None
    assert found.content.previous is None
    assert found.note is not None
    assert "not compared with the list before" in found.note


def test_what_is_missing_is_because_of_where_the_night_stopped(night: Night) -> None:
    lake = Lake(root=night.settings.lake)
    for table in ("evidence_items", "evidence_quality"):
        lake.remove(table, DS)
    told = nights.a_whole_night(DS)
    first = next(n for n, entry in enumerate(told) if entry["step"] == "gate")
    refused = nights.failure("gate", DS, nights.begin(DS, 8), "MAE 0.9 is too high. Train again.")
    nights.tell(night, [*told[:first], *refused])
    found = _contents(night)
    expected = "Nothing to show: the night stopped at gate: MAE 0.9 is too high."
    assert (found.evidence.note, found.elicitation.note) == (expected, expected)
    assert (found.quality.note, found.calibration.note) == (None, None)


def test_what_an_earlier_run_left_is_said_to_be_of_it(night: Night) -> None:
    refused = nights.failure("gate", DS, nights.begin(DS, 100), "MAE 0.9 is too high.")
    nights.tell(night, [*nights.a_whole_night(DS), *refused])
    found = _contents(night)
    assert found.evidence.content is not None
    assert found.evidence.note == (
        "From an earlier run of this day: the night stopped at gate: MAE 0.9 is too high."
    )
    assert found.quality.note is None
    ended = {line.step: line.ended for line in found.steps}
    assert ended["gate"] == "failed"
    assert ended["publish"] == "earlier than gate"


def test_a_home_without_any_night(night: Night, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = replace(night.settings, home=tmp_path_factory.mktemp("empty"))
    found = gather(FoundNight.read(settings, DS, "melu"))
    assert found.dataset is None
    parts = (found.evidence, found.elicitation, found.quality, found.training, found.by_support,
        found.calibration, found.quarantine)  # fmt: skip
    for part in parts:
        assert part.content is None
        assert part.note is not None
        assert "has not run for this day" in part.note


def test_a_curve_without_validation_tasks(night: Night) -> None:
    folder = Lake(root=night.settings.models).version("melu", DS)
    lines = (folder / "curve.jsonl").read_text().splitlines()
    spoilt = lines[1].replace('"validation_loss": 0.3', '"validation_loss": NaN')
    assert spoilt != lines[1]
    (folder / "curve.jsonl").write_text("\n".join([lines[0], spoilt, lines[2]]) + "\n")
    found = training.training(_found(night)).content
    assert found is not None
    losses = [epoch.validation_loss for epoch in found.epochs]
    assert losses == pytest.approx([0.6, math.nan, 0.2], nan_ok=True)
    assert "epoch 2: nan" not in nights.report(night)


def test_warnings_are_of_what_counts(night: Night) -> None:
    told = nights.a_whole_night(DS)
    for entry in told:
        if entry["event"] == "finished" and entry["step"] in ("ingest", "check_outputs"):
            entry["warnings"] = [f"{entry['step']} is odd"]
    nights.tell(night, [*told, *nights.entries("gate", DS, nights.begin(DS, 100))])
    assert [warned.text for warned in _contents(night).warnings] == ["ingest is odd"]


def test_links_to_what_is_there(night: Night) -> None:
    settings = night.settings
    for check in ("check_outputs", "check_interactions"):
        folder = settings.data_docs / f"ds={DS}" / check
        folder.mkdir(parents=True)
        (folder / "index.html").write_text("")
    assert operation.links(settings, DS).previous is None
    for days in (-9, -2, 0, 5, 8):
        operation.file_of(settings, DS + timedelta(days=days)).write_text("")
    found = operation.links(settings, DS)
    assert found.previous is not None
    assert found.next is not None
    assert (found.previous.href, found.next.href) == ("ds=1998-03-29.html", "ds=1998-04-05.html")
    assert [link.href for link in found.data_docs] == [
        "data-docs/ds=1998-03-31/check_interactions/index.html",
        "data-docs/ds=1998-03-31/check_outputs/index.html",
    ]


def test_implicit_feedback_has_no_simulation(implicit_night: Night) -> None:
    nights.complete(implicit_night)
    found = _contents(implicit_night)
    assert found.elicitation.note is not None
    assert "no simulation for implicit feedback" in found.elicitation.note
    assert found.quality.content is not None
    assert list(found.quality.content.courses) == ["auc", "ndcg10", "adaptation_gain"]


def test_every_list_that_may_be_judged_has_a_title() -> None:
    assert set(elicitation.TITLES) == set(EVIDENCE_LISTS)
    methods = {CHAMPION, *LIST_ORDERS, *LIST_PEERS, *NEW_ITEM_PEERS}
    assert set(lists.TITLES) == methods
