"""Lists are judged beside peers', on a tiny split: the records, the page, and a missing library."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import lists, report
from benchmarks.inputs import list_trials, public_split
from benchmarks.yardsticks.external_lists import queries_of
from meta_model.data.features import features
from meta_model.evaluation.lists import KNOWN
from schemas.tables.products import LIST_METRICS
from tests.meta_model.evaluation.literal_tasks import literal_tasks

SPLIT = public_split.Split(users=("gender",), items=("genres", "year"))


def _arguments(folder: Path, file: Path, *options: str) -> list[str]:
    data = ["--data", str(folder.parent), "--dataset", folder.name, "--json", str(file)]
    return [*data, "--epochs", "1", "--choice-epochs", "1", *options]


def test_a_peer_is_told_of_no_item_that_nobody_chose() -> None:
    """Sampled negatives of implicit feedback, the ratings 0."""
    tasks = literal_tasks(([(1, 1.0), (2, 0.0), (3, 1.0)], [(4, 1.0)]))
    found = {str(each["query"]): each for each in queries_of([tasks], "implicit")}
    user = tasks.users[0].item()
    assert found[f"{user}/1"]["known_items"] == [1]
    assert found[f"{user}/2"]["known_items"] == found[f"{user}/all"]["known_items"] == [1, 3]
    assert found[f"{user}/1"]["excluded_items"] == [1, 3]


@pytest.mark.usefixtures("long")
def test_every_method_has_a_figure_for_every_number_known(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "lists.json"
    assert lists.main(_arguments(folder, file)) == 0
    records = json.loads(file.read_text())
    by_method: dict[str, set[tuple[object, str]]] = {}
    for record in records:
        by_method.setdefault(record["method"], set()).add((record["known"], record["metric"]))
        assert 0 <= record["value"] <= 1
        assert record["low"] <= record["high"]
        assert record["best_peer"] != record["method"]
    known = ["all" if k is None else k for k in KNOWN]
    everything = {(k, metric) for k in known for metric in LIST_METRICS}
    of_somebody = {(k, metric) for k, metric in everything if k != 0}
    assert by_method == {
        "popularity": everything,
        "segment_popularity": everything,
        "item_mean": everything,
        "item_knn": of_somebody,
        "ease": of_somebody,
        "ease_500": of_somebody,
        "ials": of_somebody,
        "melu": everything,
        "unadapted": everything,
        "without_neighbours": everything,
        "published": everything,
        **{
            f"{peer}+{weight}pop": of_somebody
            for peer in ("item_knn", "ease", "ease_500", "ials")
            for weight in (0.25, 0.5, 1.0, 2.0)
        },
    }
    page = report.PAGES["lists"](records)
    assert "| known interactions | 0 | 1 | 2 | 3 | 5 | 10 | 30 | all |" in page
    assert "| item_knn | - | " in page
    assert page.count("| item_knn with popularity | - | ") == 3, "one row a metric"


@pytest.mark.usefixtures("process", "long")
def test_an_environment_without_the_peers_is_told_in_words(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """This environment has no LensKit."""
    arguments = _arguments(folder, tmp_path / "lists.json", "--peers", sys.executable)
    assert lists.main(arguments) == 2
    assert "rank.py failed with" in caplog.text
    assert "Make one, and name it with --peers." in caplog.text


def test_users_without_attributes_are_one_segment(folder: Path, tmp_path: Path) -> None:
    inputs = public_split.load(folder, SPLIT, tmp_path, windows=True, seed=1)
    assert list_trials.trial_segments(inputs).names == ("all", "1", "2")
    bare = features(inputs.user_profiles, "user_index", {})
    everyone = list_trials.trial_segments(replace(inputs, users=bare))
    assert everyone.names == ("all",)
    assert everyone.of_users.tolist() == [[0] * 61]
