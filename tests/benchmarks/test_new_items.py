"""Lists of new items on a tiny split: who is judged on what, and the page."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks import new_items, report


@pytest.mark.usefixtures("long")
def test_new_items_are_found_among_new_ones_and_among_all(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "new-items.json"
    data = ["--data", str(folder.parent), "--dataset", folder.name, "--json", str(file)]
    assert new_items.main([*data, "--choice-epochs", "1"]) == 0
    records = json.loads(file.read_text())
    methods: dict[tuple[str, str], set[str]] = {}
    for record in records:
        key = (record["scenario"], record["candidates"])
        methods.setdefault(key, set()).add(record["method"])
        assert record["best_peer"] not in {record["method"], "published"}
        assert record["low"] <= record["high"]
        if record["candidates"] == "new":
            assert record["new20"] == 1
        elif record["method"] in {"popularity", "item_knn"}:
            assert record["new20"] < 1, "the tiny catalogue ends before twenty ranks do"
    of_content = {"published", "content_knn", "content_popularity"}
    of_all = of_content | {"popularity", "item_knn"}
    assert methods == {
        ("item_cold", "new"): of_content,
        ("item_cold", "all"): of_all,
        ("both_cold", "new"): of_content,
        ("both_cold", "all"): of_all,
        ("user_cold", "all"): of_all,
    }
    page = report.PAGES["new-items"](records)
    assert "### item_cold, lists of new items, " in page
    assert page.count("| known interactions | 1 | 5 | all | new places |") == 5
    assert page.count("| published less the best other | ") == 5


@pytest.mark.usefixtures("long")
def test_a_scenario_without_users_is_left_out(folder: Path, tmp_path: Path) -> None:
    users = folder / "both_cold.parquet"
    pq.write_table(pq.read_table(users).slice(0, 0), users)
    file = tmp_path / "new-items.json"
    data = ["--data", str(folder.parent), "--dataset", folder.name, "--json", str(file)]
    assert new_items.main([*data, "--choice-epochs", "1"]) == 0
    found = {record["scenario"] for record in json.loads(file.read_text())}
    assert found == {"item_cold", "user_cold"}
