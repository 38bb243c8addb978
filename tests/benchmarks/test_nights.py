"""Lists of two nights: their users are taken together, and the page says who is ahead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.inputs import lake_inputs
from benchmarks.nights import __main__ as nights
from benchmarks.records import Record
from meta_model.data.inputs import Inputs, load
from schemas.lake import Lake
from tests.meta_model import small_lake


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    small_lake.write(tmp_path / "home", row_group_rows=64, n_tests=24)
    return load(Lake(root=tmp_path / "home" / "lake"), small_lake.DS)


def _of_lists(records: list[Record]) -> Iterator[tuple[tuple[str, str, str, str], Record]]:
    names = ("scenario", "known", "method", "metric")
    return ((tuple(r[name] for name in names), r) for r in records if "known" in r)


@pytest.mark.usefixtures("long")
def test_the_users_of_all_nights_are_taken_together(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same night twice has the same means of twice as many users, and is surer of them."""
    monkeypatch.setattr(lake_inputs, "prepare", lambda *_: inputs)
    file = tmp_path / "nights.json"
    options = ["--data", str(tmp_path), "--choice-epochs", "1", "--json", str(file)]
    found = []
    for days in ("2020-01-01", "2020-01-01,2020-01-01"):
        assert nights.main([*options, "--days", days]) == 0
        found.append(json.loads(file.read_text()))
    once, twice = (dict(_of_lists(records)) for records in found)
    assert once.keys() == twice.keys()
    for key, record in once.items():
        assert twice[key]["n_users"] == 2 * record["n_users"]
        assert twice[key]["value"] == pytest.approx(record["value"], abs=1e-4)
        assert twice[key]["low"] <= twice[key]["value"] <= twice[key]["high"]
        assert (record["method"] == "published") == ("lead_low" not in record)
    page = report.PAGES["nights"](found[1])
    assert "## ml-100k, 2 nights\n" in page
    assert "### New users\n" in page
    assert "| recent popularity |" in page
    assert "| New users | 0." in page
    of_lists = [{(r["list"], r["length"]): r for r in f if "list" in r} for f in found]
    assert of_lists[0].keys() == of_lists[1].keys()
    for key, record in of_lists[0].items():
        assert of_lists[1][key]["n_users"] == 2 * record["n_users"]
        assert of_lists[1][key]["value"] == pytest.approx(record["value"], abs=1e-4)
    assert of_lists[0]["evidence", 3]["lead_low"] == of_lists[0]["evidence", 3]["lead_high"] == 0
    assert of_lists[0]["nothing", 3]["gain_low"] == of_lists[0]["nothing", 3]["rated"] == 0
    assert "| evidence | 0." in page
