"""The steps after training: what is measured, and whose products are made."""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from safetensors.torch import load_file

from meta_model import __main__ as command_line
from meta_model.evidence.segment_lists import segment_lists
from meta_model.steps import select_evidence
from schemas.lake import Lake
from schemas.pipeline import EVALUATE, META_TRAIN, SCORE_COLD_USERS, SELECT_EVIDENCE
from schemas.projections.arrow import read_partition
from schemas.run import decision, journal
from schemas.run.decision import Decision
from schemas.run.settings import Settings
from schemas.step import Step
from schemas.tables.products import COLD_USER_SCORES, EVIDENCE_ITEMS, MODEL_METRICS
from tests.meta_model import small_lake

FIRST = small_lake.DS
SECOND = FIRST + timedelta(days=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of two nights; the model of the first is published, that of the second trained."""
    home = tmp_path_factory.mktemp("trained")
    with mock.patch.dict(os.environ, COLDSTART_HOME=str(home)):
        for ds, epochs in ((FIRST, "1"), (SECOND, "2")):
            small_lake.write(home, 50, ds, n_tests=20)
            assert _run(META_TRAIN, ds, "--epochs", epochs) == 0
        _publish(Settings.from_environment(), FIRST)
    return home


@pytest.fixture
def settings(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A copy of it, to go on with."""
    shutil.copytree(trained, tmp_path / "home", symlinks=True)
    monkeypatch.setenv("COLDSTART_HOME", str(tmp_path / "home"))
    return Settings.from_environment()


def _run(step: Step, ds: date, *options: str) -> int:
    return command_line.main([step.name, "--ds", str(ds), *options])


def _publish(settings: Settings, ds: date) -> None:
    """As `jobs publish` keeps what it published."""
    source = Lake(root=settings.models).version("ridge", ds)
    with Lake(root=settings.published).replacing(decision.CHAMPIONS, ds) as draft:
        shutil.copytree(source, draft.path, dirs_exist_ok=True)
        if ds in (lake := Lake(root=settings.lake)).days(EVIDENCE_ITEMS.name, until=ds):
            lists = lake.version(EVIDENCE_ITEMS.name, ds)
            shutil.copytree(lists, draft.path / EVIDENCE_ITEMS.name)
        draft.rows = 1


def _run_id(settings: Settings, ds: date) -> str:
    model = json.loads((settings.models / "ridge" / f"ds={ds}" / "model.json").read_text())
    return f"{ds}.ridge.{model['model_version']}"


def _decide(
    settings: Settings, verdict: decision.Verdict, run_id: str | None, ds: date = SECOND
) -> None:
    challenger = _run_id(settings, ds)
    decided = Decision(challenger=challenger, verdict=verdict, run_id=run_id, reasons=("so",))
    decision.write(settings, ds, decided)


def _metrics(settings: Settings, ds: date) -> list[dict[str, Any]]:
    path = Lake(root=settings.lake).require(MODEL_METRICS.name, ds)
    return read_partition(MODEL_METRICS, path).to_pylist()


def _run_ids_of_products(settings: Settings) -> Iterator[str]:
    for table in (EVIDENCE_ITEMS, COLD_USER_SCORES):
        path = Lake(root=settings.lake).require(table.name, SECOND)
        yield from read_partition(table, path)["run_id"].to_pylist()


def test_the_champion_is_measured_on_the_same_tasks(settings: Settings) -> None:
    assert _run(EVALUATE, SECOND) == 0
    rows = _metrics(settings, SECOND)
    by_model = {
        model: {r["metric"]: r for r in rows if r["model"] == model}
        for model in ("ridge", "champion")
    }
    assert by_model["ridge"].keys() == by_model["champion"].keys()
    for metric, row in by_model["champion"].items():
        assert row["run_id"] == _run_id(settings, FIRST)
        assert row["n_tasks"] == by_model["ridge"][metric]["n_tasks"] == 20
        assert row["baseline"] == by_model["ridge"][metric]["baseline"]
    assert by_model["ridge"]["rmse"]["value"] != by_model["champion"]["rmse"]["value"]
    others = {row["run_id"] for row in rows if row["model"] != "champion"}
    assert others == {_run_id(settings, SECOND)}


def test_both_nights_hold_the_same_so_the_champion_is_as_good_as_it_was(settings: Settings) -> None:
    for ds in (FIRST, SECOND):
        assert _run(EVALUATE, ds) == 0
    before = {r["metric"]: r["value"] for r in _metrics(settings, FIRST) if r["model"] == "ridge"}
    after = {
        r["metric"]: r["value"] for r in _metrics(settings, SECOND) if r["model"] == "champion"
    }
    assert after == pytest.approx(before, abs=1e-12)


def test_a_first_night_has_no_champion_nor_has_one_before_it(settings: Settings) -> None:
    assert _run(EVALUATE, FIRST) == 0  # a backfill: the publication is its own
    assert "champion" not in {row["model"] for row in _metrics(settings, FIRST)}


def test_a_champion_that_does_not_fit_is_said_and_left_out(settings: Settings) -> None:
    file = settings.published / "models" / f"ds={FIRST}" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": 99}))
    assert _run(EVALUATE, SECOND) == 0
    assert "champion" not in {row["model"] for row in _metrics(settings, SECOND)}
    [done] = [
        entry
        for entry in journal.read(settings.journals, SECOND)
        if entry["step"] == EVALUATE.name and entry["event"] == "finished"
    ]
    assert "has version 99" in done["champion"]


@pytest.mark.parametrize(("verdict", "ds"), [("challenger", SECOND), ("champion", FIRST)])
def test_products_are_made_with_the_model_that_the_gate_chose(
    settings: Settings, verdict: decision.Verdict, ds: date
) -> None:
    _decide(settings, verdict, _run_id(settings, ds))
    for step in (SELECT_EVIDENCE, SCORE_COLD_USERS):
        assert _run(step, SECOND) == 0
    assert set(_run_ids_of_products(settings)) == {_run_id(settings, ds)}


def test_options_of_products_are_given_without_training_again(settings: Settings) -> None:
    _decide(settings, "challenger", _run_id(settings, SECOND))
    assert _run(EVALUATE, SECOND, "--set", "products.rank_by=choice") == 0
    options = ("--set", "products.rank_by=rating", "--set", "products.top_items=3")
    assert _run(SCORE_COLD_USERS, SECOND, *options) == 0
    path = Lake(root=settings.lake).require(COLD_USER_SCORES.name, SECOND)
    scores = read_partition(COLD_USER_SCORES, path)
    assert set(scores["ranked_by"].to_pylist()) == {"rating"}
    assert max(scores["rank"].to_pylist()) == 3
    of_users = dict(zip(scores["user_id"].to_pylist(), scores["is_new"].to_pylist(), strict=True))
    assert of_users == {user: int(user[1:]) % 2 == 0 for user in of_users}
    assert set(of_users.values()) == {True, False}


@pytest.mark.parametrize("key", ["training.epochs", "choice.neighbour_weight"])
def test_options_of_the_model_are_for_training_alone(
    settings: Settings, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert _run(EVALUATE, SECOND, "--set", f"{key}=3") == 2
    assert f"--set {key}=3: expected options of the products alone" in caplog.text
    assert "give them to meta_train" in caplog.text


def test_no_products_without_a_decision_on_this_very_model(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    assert _run(SELECT_EVIDENCE, SECOND) == 2
    assert f"no gate has decided on ds {SECOND}" in caplog.text
    _decide(settings, "neither", None)
    assert _run(SCORE_COLD_USERS, SECOND) == 2
    assert "the gate refused" in caplog.text
    _decide(settings, "challenger", f"{SECOND}.ridge.000000000000")
    assert _run(SCORE_COLD_USERS, SECOND) == 2
    assert f"chose {SECOND}.ridge.000000000000, but the model is now" in caplog.text


def test_the_published_list_is_held_on_to_and_not_the_one_in_the_lake(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later run of the published day may have left another list in the lake, and failed."""
    asked: list[tuple[int, ...]] = []

    def watched(*arguments: Any, incumbents: tuple[int, ...], **options: Any) -> Any:
        asked.append(incumbents)
        return segment_lists(*arguments, incumbents=incumbents, **options)

    monkeypatch.setattr(select_evidence, "segment_lists", watched)
    for ds in (FIRST, SECOND):
        _decide(settings, "challenger", _run_id(settings, ds), ds)
    assert _run(SELECT_EVIDENCE, FIRST) == 0
    partition = Lake(root=settings.lake).version(EVIDENCE_ITEMS.name, FIRST)
    rows = read_partition(EVIDENCE_ITEMS, partition).sort_by("rank").to_pylist()
    published = tuple(int(r["item_id"][1:]) for r in rows if r["segment"] == "all")
    _publish(settings, FIRST)
    assert _run(SELECT_EVIDENCE, FIRST, "--set", "products.evidence_items=5") == 0
    assert _run(SELECT_EVIDENCE, SECOND) == 0
    assert asked == [(), (), published]
    assert len(published) > 5


def test_the_last_published_day_counts_not_the_latest(settings: Settings) -> None:
    """A backfill of a day in between is not told of what came after it."""
    _publish(settings, SECOND)
    assert decision.champion_day(settings, SECOND) == FIRST
    assert decision.champion_day(settings, SECOND + timedelta(days=9)) == SECOND


def test_a_second_run_of_a_step_waits_for_a_first_that_lives(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """As a retry does whose first try outlived its Airflow task."""
    ended: list[int] = []
    second = threading.Thread(target=lambda: ended.append(_run(EVALUATE, SECOND)))
    lock = Lake(root=settings.lake).step_lock(EVALUATE.name, SECOND)
    with caplog.at_level(logging.INFO), lock:
        second.start()
        while "waiting for another process to release" not in caplog.text:
            assert second.is_alive(), "it ended without waiting"
            time.sleep(0.02)
        assert Lake(root=settings.lake).manifest(MODEL_METRICS.name, SECOND) is None
    second.join(120)
    assert ended == [0]


@pytest.fixture
def ask(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What a command of a session prints after these answers."""
    _decide(settings, "challenger", _run_id(settings, SECOND))

    def ask(command: str, given: Mapping[str, float | str | None], *options: str) -> str:
        answers = tmp_path / "answers.json"
        answers.write_text(json.dumps(given))
        words = [command, "--ds", str(SECOND), "--answers", str(answers), *options]
        assert command_line.main(words) == 0
        return capsys.readouterr().out

    return ask


def _items(printed: str, column: int) -> list[str]:
    return [line.split()[column] for line in printed.splitlines()[1:]]


def test_the_next_question_is_one_that_was_not_asked(ask: Callable[..., str]) -> None:
    text = ask("next_question", {})
    assert text.splitlines()[0] == "rank  worth   item"
    asked: dict[str, float | str | None] = {}
    for answer in (5.0, None, "seen", 1.0):
        first = _items(text, 2)[0]
        assert first not in asked
        before, asked = asked, asked | {first: answer}
        text = ask("next_question", asked)
        if answer == "seen":  # which says something, and not that the item was liked
            others = [ask("next_question", asked | {first: other}) for other in (None, 5)]
            assert text not in others
        if answer is None:  # which says something, too
            assert _worths(text) != _worths(ask("next_question", before))
    assert not set(asked) & set(_items(text, 2))


def _worths(printed: str) -> dict[str, str]:
    return dict(zip(_items(printed, 2), _items(printed, 1), strict=True))


def test_a_list_after_answers_has_no_item_that_the_user_knows(ask: Callable[..., str]) -> None:
    text = ask("recommend", {})
    assert text.splitlines()[0] == "rank  p_like  score  item"
    assert len(_items(text, 3)) == 10
    first, second, *_ = _items(text, 3)
    p_like = [float(value) for value in _items(text, 1)]
    assert p_like == sorted(p_like, reverse=True)
    assert all(0 < value < 1 for value in p_like)
    assert len(_items(ask("recommend", {}, "--top-items", "3"), 3)) == 3
    found = {answer: ask("recommend", {first: answer}) for answer in (5, 1, "seen", None)}
    assert len(set(found.values())) == 4
    for answer, printed in found.items():
        everything = ask("recommend", {first: answer}, "--top-items", "999")
        assert everything.startswith(printed)
        assert (first in _items(everything, 3)) == (answer is None)
    user = ask("recommend", {second: 4}, "--user", "u1")
    assert second not in _items(user, 3)
    assert user != ask("recommend", {second: 4})


def test_a_list_of_no_items_is_told(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    words = ["recommend", "--ds", str(SECOND), "--answers", "a.json", "--top-items", "0"]
    assert command_line.main(words) == 2
    assert "--top-items is 0; expected 1 or more" in caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "it holds a list; expected a JSON object that gives each item id a rating"),
        ("{", "expected a JSON object that gives each item id a rating"),
        ('{"nothing": 5}', "there is no item 'nothing' in that ds"),
        ('{"ITEM": 9}', 'is 9; expected a rating from 1 to 5, "seen", or null'),
        ('{"ITEM": true}', 'is True; expected a rating from 1 to 5, "seen", or null'),
        ('{"ITEM": "Seen"}', "is 'Seen'; expected a rating from 1 to 5"),
    ],
)
def test_answers_that_cannot_be_read_are_told(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, said: str
) -> None:
    _decide(settings, "challenger", _run_id(settings, SECOND))
    answers = tmp_path / "answers.json"
    answers.write_text(text.replace("ITEM", "i1"))
    assert command_line.main(["next_question", "--ds", str(SECOND), "--answers", str(answers)]) == 2
    assert said in caplog.text


# A parameter that no other learner of choices has.
OWN = {"aggregating": "hidden.weight", "matching": "kernel.weight", "melu": "log_rates"}


@pytest.mark.usefixtures("long")
@pytest.mark.parametrize("learner", OWN)
def test_a_night_is_whole_with_every_learner_of_choices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learner: str
) -> None:
    """Trained, saved, loaded, judged, asked about and served, in the order that the spec says."""
    monkeypatch.setenv("COLDSTART_HOME", str(tmp_path))
    small_lake.write(tmp_path, 50, SECOND, n_tests=20)
    settings = Settings.from_environment()
    spec = settings.lake / "dataset.toml"
    spec.write_text(f'rank_by = "choice"\n{spec.read_text()}')
    options = ("--epochs", "1", "--set", "choice.epochs=2", "--set", f"choice.learner={learner}")
    assert _run(META_TRAIN, SECOND, *options) == 0
    assert _run(EVALUATE, SECOND) == 0
    _decide(settings, "challenger", _run_id(settings, SECOND))
    for step in (SELECT_EVIDENCE, SCORE_COLD_USERS):
        assert _run(step, SECOND) == 0
    assert set(_run_ids_of_products(settings)) == {_run_id(settings, SECOND)}
    scores = Lake(root=settings.lake).require(COLD_USER_SCORES.name, SECOND)
    assert set(read_partition(COLD_USER_SCORES, scores)["ranked_by"].to_pylist()) == {"choice"}
    saved = settings.models / "ridge" / f"ds={SECOND}"
    config = json.loads((saved / "config.json").read_text())
    assert config["choice"]["learner"] == learner
    assert OWN[learner] in load_file(saved / "choice.safetensors")
