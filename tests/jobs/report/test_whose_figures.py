"""Whose figures and lists a report shows: of what is published, or of what was trained."""

from __future__ import annotations

import shutil
from datetime import timedelta

from jobs.report.night import Night as FoundNight
from jobs.report.sections import evidence
from schemas.lake import Lake
from schemas.run import decision
from tests.jobs.night import DS, NIGHT, Night, of_lists
from tests.jobs.report import nights
from tests.jobs.report.pages import parsed

MINUS = "\N{MINUS SIGN}"


def test_a_night_that_keeps_the_champion_shows_the_figures_of_what_is_published(
    night: Night,
) -> None:
    champion = [
        {**row, "model": "champion", "value": {"mae": 0.81, "adaptation_gain": 0.03}[row["metric"]]}
        for row in night.rows["model_metrics"]
        if row["model"] == "melu" and row["metric"] in ("mae", "adaptation_gain")
    ]
    night.rows["model_metrics"] += champion
    lists = {"melu": 0.2, "popularity": 0.1, "item_knn": 0.15, "champion": 0.18}
    night.rows["list_quality"] = of_lists(**lists)
    nights.complete(night)
    kept = {"gate": "kept the last published model, 1998-03-30.melu.abc (the new one failed): MAE"}
    told = nights.a_whole_night(DS)
    nights.tell(night, [{**entry, **kept} if "gate" in entry else entry for entry in told])
    page = parsed(nights.report(night))
    header = page.text[: page.text.index("What to show new users")]
    assert f"MAE of new users 0.8100 baseline 0.9000 ({MINUS}10.0%)" in header
    assert "lists 0.1800 ItemKNN 0.1500 (+20.0%)" in header
    assert "melu, this night\N{RIGHT SINGLE QUOTATION MARK}s own model" in page.text
    assert "The day has the lists of the last published model." in page.text
    assert "as published" not in page.text


def test_a_night_without_a_publication_shows_its_own_model(night: Night) -> None:
    nights.complete(night)
    told = nights.a_whole_night(DS)
    nights.tell(night, [entry for entry in told if entry["step"] not in ("publish", "report")])
    page = parsed(nights.report(night))
    assert "Figures of quality are of this night's own model. nDCG@10" in page.text
    assert "MAE of new users 0.8000" in page.text


def test_the_list_before_is_the_last_one_that_was_published(night: Night) -> None:
    nights.complete(night)
    published, refused = DS - timedelta(days=9), DS - timedelta(days=3)
    for ds, items in ((published, ("x", "y")), (refused, ("a", "b"))):
        rows = [{**NIGHT["evidence_items"][0], "item_id": item} for item in items]
        rows = [{**row, "rank": rank} for rank, row in enumerate(rows, start=1)]
        Night(night.settings, ds=ds, rows={"evidence_items": rows}).write()
    found = evidence.evidence(FoundNight.read(night.settings, DS, "melu")).content
    assert found is not None
    assert (found.previous, found.previous_is_published) == (refused, False)
    said = "since the list of 1998-03-28, which was not published."
    assert said in nights.report(night)
    with Lake(root=night.settings.published).replacing(decision.CHAMPIONS, published) as draft:
        lists = Lake(root=night.settings.lake).version("evidence_items", published)
        shutil.copytree(lists, draft.path / "evidence_items")
        draft.rows = 1
    later = {**NIGHT["evidence_items"][0], "item_id": "z"}  # of a run that was not published
    Night(night.settings, ds=published, rows={"evidence_items": [later]}).write()
    found = evidence.evidence(FoundNight.read(night.settings, DS, "melu")).content
    assert found is not None
    assert (found.previous, found.previous_is_published) == (published, True)
    assert found.lists[0].left == ("Film 1", "Film 1")
    assert "since the list of 1998-03-22." in nights.report(night)
