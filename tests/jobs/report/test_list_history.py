"""How the lists moved in 30 days: each day's figures, gaps, the first night, and the picture."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from jobs.report.drawing import by_day
from jobs.report.night import Night as FoundNight
from jobs.report.sections.list_history import PEERS, ListHistory, list_history
from jobs.report.sections.lists import TITLES
from schemas.lake import Lake
from tests.jobs.night import DS, Night, Row, of_lists
from tests.jobs.report import nights
from tests.jobs.report.pages import parsed


@pytest.fixture
def night(night: Night) -> Night:
    nights.complete(night)
    return night


def _write_before(night: Night, days: int, rows: list[Row]) -> None:
    ds = DS - timedelta(days=days)
    Night(night.settings, ds=ds, rows={"list_quality": rows}).write("list_quality")


def _found(night: Night) -> ListHistory:
    found = list_history(FoundNight.read(night.settings, night.ds, "melu")).content
    assert found is not None
    return found


def test_thirty_days_with_gaps_and_no_later_day(night: Night) -> None:
    for days, own in ((30, 0.9), (29, 0.3), (2, 0.25), (-1, 0.8)):
        _write_before(night, days, of_lists(melu=own, popularity=own / 2))
    found = _found(night)
    assert (found.days[0], found.days[-1]) == (DS - timedelta(days=29), DS)
    assert list(found.courses) == ["user_cold"]
    cold = found.courses["user_cold"]
    gap = [None] * 26
    assert cold.own == (0.3, *gap, 0.25, None, 0.2)
    assert cold.lows == pytest.approx((0.29, *gap, 0.24, None, 0.19))
    assert cold.highs == pytest.approx((0.31, *gap, 0.26, None, 0.21))
    assert cold.peers == {
        "popularity": (0.15, *gap, 0.125, None, 0.1),
        "item_knn": (None, *gap, None, None, 0.15),
    }


def test_of_all_rows_the_mean_over_1_to_all_known_is_drawn(night: Night) -> None:
    for row in night.rows["list_quality"]:
        if row["metric"] == "ndcg10" and row["known"] != "1 to all":
            row["value"] = 0.99
    warm = [{**row, "scenario": "warm"} for row in of_lists(melu=0.4, ease=0.7)]
    champion = of_lists(champion=0.6, melu=0.2)[:6]
    night.rows["list_quality"] = [*champion, *night.rows["list_quality"], *warm]
    night.write("list_quality")
    found = _found(night)
    assert found.model == "melu"
    assert {scenario: course.own[-1] for scenario, course in found.courses.items()} == {
        "user_cold": 0.2,
        "warm": 0.4,
    }


def test_the_first_night_has_one_day_which_the_picture_shows(night: Night) -> None:
    found = _found(night)
    assert found.courses["user_cold"].own == (*[None] * 29, 0.2)
    [drawn] = by_day.of_lists(found).values()
    assert "nDCG@10 of lists, user_cold, over 30 days, 1 of them with figures: " in drawn
    assert "0.2000 on 1998-03-31" in drawn
    assert drawn.count("<circle") == 3, "ours and two peers"
    [interval] = re.findall(r'<path class="line spread" d="([^"]*)"', drawn)
    low_x, low, high_x, high = map(float, re.findall(r"[\d.]+", interval))
    [own] = re.findall(r'<circle class="dot own" cx="([\d.]+)" cy="([\d.]+)"', drawn)
    own_x, mean = map(float, own)
    assert low_x == high_x == own_x
    assert low > mean > high, "y grows downwards"


def test_a_gap_lifts_the_pen_and_ends_no_interval(night: Night) -> None:
    for days in (3, 1):
        _write_before(night, days, of_lists(melu=0.3, popularity=0.1))
    [drawn] = by_day.of_lists(_found(night)).values()
    lines = dict(re.findall(r'<path class="line (\w+)" d="([^"]*)"', drawn))
    assert {style: (d.count("M"), d.count("L")) for style, d in lines.items()} == {
        "own": (2, 1),
        "baseline": (2, 1),
        "before": (1, 0),
        "spread": (3, 3),
    }


def test_a_day_that_other_code_wrote_is_named_on_the_page(night: Night) -> None:
    other = DS - timedelta(days=1)
    with Lake(root=night.settings.lake).replacing("list_quality", other) as draft:
        (draft.path / "part-0.parquet").write_bytes(b"not Parquet")
        draft.rows = 1
    assert _found(night).unreadable == (other,)
    said = "Left out of the days, because another release wrote them: 1998-03-30."
    assert said in parsed(nights.report(night)).text


def test_the_page_shows_the_days_beside_the_peers(night: Night) -> None:
    _write_before(night, 1, of_lists(melu=0.3, popularity=0.1, item_knn=0.25))
    text = nights.report(night)
    for said in (
        "<title>our lists 1998-03-30: 0.3000</title>",
        "<title>our lists 1998-03-31: 0.2000</title>",
        "<title>popularity 1998-03-31: 0.1000</title>",
        "<title>ItemKNN 1998-03-30: 0.2500</title>",
    ):
        assert said in text, said
    page = parsed(text)
    assert (3, "30 days of nDCG@10, mean over 1 to all known interactions") in page.headings
    assert "melu, each night's own model: mean and 95% interval" in page.text


def test_a_night_without_judged_lists_shows_no_days(night: Night) -> None:
    _write_before(night, 1, of_lists(melu=0.3, popularity=0.1))
    night.rows["list_quality"] = []
    night.write("list_quality")
    assert list_history(FoundNight.read(night.settings, DS, "melu")).content is None
    page = parsed(nights.report(night))
    assert "no held-out user chose and liked an item that day" in page.text
    assert not any("mean over 1 to all" in heading for _, heading in page.headings)


def test_every_peer_has_a_title_and_a_line_of_its_own() -> None:
    assert set(by_day.PEER_STYLES) == set(PEERS)
    assert len(set(by_day.PEER_STYLES.values())) == len(PEERS)
    assert set(PEERS) <= set(TITLES)
