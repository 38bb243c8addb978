"""Benchmarks that take minutes, on tiny sizes: they run and write what their pages show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import features, lists_throughput, report, scaling, throughput


def _page(name: str, file: Path) -> tuple[list[dict[str, Any]], str]:
    """The records of the run, and the page that is made of them."""
    records = json.loads(file.read_text())
    return records, report.PAGES[name](records)


@pytest.mark.usefixtures("long")
def test_throughput(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"_BATCHES": 1, "_LOOP_TASKS": 2}
    for name, size in sizes.items():
        monkeypatch.setattr(throughput, name, dict.fromkeys(("train", "evaluate", "score"), size))
    monkeypatch.setattr(throughput, "META_BATCHES", (4,))
    monkeypatch.setattr(throughput, "THREADS", (1,))
    monkeypatch.setattr(throughput, "_ROUNDS", 2)
    assert throughput.main(["--json", str(tmp_path / "t.json")]) == 0
    records, page = _page("throughput", tmp_path / "t.json")
    assert [record["mode"] for record in records] == ["train", "evaluate", "score"]
    assert all(record["tasks_per_second"] > 0 for record in records)
    assert "| score | 4 | 1 |" in page


@pytest.mark.usefixtures("long")
def test_throughput_of_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists_throughput, "ITEMS", (120, 240))
    monkeypatch.setattr(lists_throughput, "TRAINING_USERS", 30)
    monkeypatch.setattr(lists_throughput, "BATCH_USERS", 4)
    monkeypatch.setattr(lists_throughput, "_ROUNDS", 2)
    assert lists_throughput.main(["--json", str(tmp_path / "l.json")]) == 0
    records, page = _page("throughput", tmp_path / "l.json")
    assert [(record["order"], record["items"]) for record in records] == [
        *(("published", 120), ("without_neighbours", 120)),
        *(("published", 240), ("without_neighbours", 240)),
    ]
    for record in records:
        assert record["threads"] == 1
        assert record["ratio_low"] <= record["ratio"] <= record["ratio_high"]
        pairs = record["users_per_second"] * record["items"]
        assert record["pairs_per_second"] == pytest.approx(pairs, abs=record["items"])
        assert record["peak_mib"] >= 0
    assert "| published | 120 |" in page
    assert "| without_neighbours | 240 |" in page


@pytest.mark.slow  # a process for each size
@pytest.mark.usefixtures("process")
def test_scaling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "FACTORS", (1,))
    monkeypatch.setattr(scaling, "TASKS", {"train": 64, "score": 16})
    assert scaling.main(["--json", str(tmp_path / "s.json")]) == 0
    records, page = _page("scaling", tmp_path / "s.json")
    assert [(record["mode"], record["tasks"]) for record in records] == [
        ("train", 64),
        ("score", 16),
    ]
    assert all(record["peak_mib"] > 100 for record in records)
    assert "| train | 64 |" in page


@pytest.mark.longest  # four Spark servers, and a dozen steps on each size
@pytest.mark.usefixtures("process")
@pytest.mark.timeout(1200)
def test_features(tmp_path: Path) -> None:
    assert features.main(["--json", str(tmp_path / "f.json"), "--sizes", "2e4"]) == 0
    records, page = _page("features", tmp_path / "f.json")
    assert len(records) == 7
    assert "| profiles+episodes | 20,000 |" in page
