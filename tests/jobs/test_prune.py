"""Retention says what is old, removes it when told to, and never what a night or a reader needs."""

from __future__ import annotations

import logging
from datetime import date, timedelta

import pytest

from jobs import __main__ as command_line
from jobs.steps import gate, publish
from jobs.tools import prune
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import HISTORY
from schemas.run import journal
from tests.jobs.engines import both_engines
from tests.jobs.night import AT, DS, Night

pytestmark = both_engines

DAYS = [DS + timedelta(days=n) for n in (0, 1, 2, 5)]
LATEST = DAYS[-1]


@pytest.fixture
def published(night: Night) -> Night:
    """Four published days, the last of them after a gap, with their journals and models."""
    timeline = {"user_index": 1, "item_indices": [1], "ratings": [4.0], "event_times": [AT]}
    for night.ds in DAYS:
        night.rows["timelines"] = [timeline]
        if night.ds == LATEST:  # not every night keeps them
            del night.rows["timelines"]
        night.write()
        for step, function in (("gate", gate.run), ("publish", publish.run)):
            with journal.step(night.settings.journals, step, night.ds) as record:
                function(night.settings, night.ds, record, "melu")
        with Lake(root=night.settings.models).replacing("melu", night.ds) as draft:
            (draft.path / "weights").write_bytes(bytes(1_000_000))
            draft.rows = 1
        (night.settings.data_docs / f"ds={night.ds}" / "check").mkdir(parents=True)
        (night.settings.reports / f"ds={night.ds}.html").write_text("a report")
    return night


def _held(night: Night) -> dict[str, list[date]]:
    """The days of everything: partitions, reports and rows."""
    settings = night.settings
    roots = (settings.lake, settings.models, settings.published, settings.home / "reports")
    paths = [path for root in roots for path in root.glob("[!.]*/ds=*")]
    paths += [*night.settings.journals.glob("ds=*"), *night.settings.reports.glob("ds=*")]
    held: dict[str, list[date]] = {}
    for path in sorted(paths):
        held.setdefault(path.parent.name, []).append(date.fromisoformat(path.name[3:13]))
    for name in ("publications", "evidence_items", "cold_user_scores", "model_metrics"):
        for schema in ("coldstart", "coldstart_data"):
            sql = f"SELECT DISTINCT ds FROM {schema}.{name} ORDER BY ds"
            held[f"warehouse {schema} {name}"] = [day for (day,) in night.ask(sql)]
    return held


def test_without_delete_it_only_says_what_is_old(
    published: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _held(published)
    assert command_line.main(["prune", "--keep-days", "4"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert _held(published) == before
    assert f"kept: {DAYS[2]} to {LATEST}, the latest published ds, and all interactions" in said
    assert f"models/melu 2 {DAYS[0]} {DAYS[1]} 2.0" in said
    assert f"warehouse 2 {DAYS[0]} {DAYS[1]} -" in said
    assert "nothing was removed; --delete removes it" in said


@pytest.mark.usefixtures("long")
def test_delete_removes_it_and_keeps_the_history_and_the_last_user_histories(
    published: Night,
) -> None:
    before = _held(published)
    assert command_line.main(["prune", "--keep-days", "1", "--delete"]) == 0
    after = _held(published)
    assert after.keys() == before.keys()
    for name, days in after.items():
        kept = DAYS if name in HISTORY else [DAYS[2]] if name == "timelines" else [LATEST]
        assert days == (before[name] if name in HISTORY else kept), name
    assert not list(published.settings.lake.glob(f".versions/episodes/ds={DAYS[0]}"))
    latest = published.ask("SELECT DISTINCT ds FROM coldstart.latest_evidence_items")
    assert latest == [(LATEST,)]


def test_a_second_time_there_is_nothing(
    published: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    prune.run(published.settings, 2, is_real=True)
    capsys.readouterr()
    prune.run(published.settings, 2, is_real=True)
    assert "nothing is older" in capsys.readouterr().out


def test_mistakes_are_reported(published: Night, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        for days in ("0", "900000"):
            assert command_line.main(["prune", "--keep-days", days]) == 2
            assert f"--keep-days is {days}, expected 1 to 100000" in caplog.text


def test_nothing_published_is_reported(night: Night) -> None:
    with pytest.raises(UserError, match="does not exist yet; run make nightly first"):
        prune.run(night.settings, 1, is_real=True)
