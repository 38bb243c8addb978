"""`python -m meta_model train` as its users start it: alone, killed and again, in two processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from schemas.pipeline import META_TRAIN
from tests.meta_model import small_lake
from tests.suite.training import SHORT_CHOICES

pytestmark = pytest.mark.usefixtures("process")

REPOSITORY = Path(__file__).parents[3]
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


def _start(home: Path, *arguments: str, launcher: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    environment = {**os.environ, "COLDSTART_HOME": str(home), "OMP_NUM_THREADS": "1"}
    step = ("-m", "meta_model", META_TRAIN.name, "--ds", str(small_lake.DS))
    train = (*step, *SHORT_CHOICES, *arguments)
    return subprocess.Popen(
        [sys.executable, *launcher, *train],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _train(home: Path, *arguments: str, launcher: tuple[str, ...] = ()) -> str:
    process = _start(home, *arguments, launcher=launcher)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    return output


def _model(home: Path) -> Path:
    return home / "models" / "ridge" / f"ds={small_lake.DS}"


def _version(home: Path) -> str:
    version: str = json.loads((_model(home) / "model.json").read_text())["model_version"]
    return version


def _curve(home: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (_model(home) / "curve.jsonl").read_text().splitlines()]


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Path, Path]:
    both = (tmp_path / "one", tmp_path / "other")
    for home in both:
        small_lake.write(home, row_group_rows=50)
    return both


@pytest.mark.slow  # processes beside each other
def test_two_processes_have_the_loss_curve_of_one(
    homes: tuple[Path, Path],
) -> None:
    alone, together = homes
    _train(alone, "--epochs", "3", "--shards", "2")
    output = _train(together, "--epochs", "3", launcher=TORCHRUN)
    assert output.count("meta_train: finished") == 1  # one of the two processes speaks
    for one, two in zip(_curve(alone), _curve(together), strict=True):
        assert two == pytest.approx(one, abs=1e-5)
    of_two, *_ = _curve(alone)
    _train(alone, "--epochs", "1", "--shards", "1")
    [of_one] = _curve(alone)
    assert of_one["train_loss"] != pytest.approx(of_two["train_loss"], abs=1e-5)


def test_a_killed_run_ends_with_the_weights_of_an_undisturbed_one(
    homes: tuple[Path, Path], tmp_path: Path
) -> None:
    undisturbed, killed = homes
    _train(undisturbed, "--epochs", "12")
    process = _start(killed, "--epochs", "12")
    curve = killed / "models" / ".training" / "ridge" / f"ds={small_lake.DS}" / "curve.jsonl"
    deadline = time.monotonic() + 120
    while not curve.exists() or len(curve.read_text().splitlines()) < 2:
        assert process.poll() is None, "training ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not _model(killed).exists()
    output = _train(killed, "--epochs", "12")
    assert "going on after epoch" in output
    assert "meta_train: epoch  1/12" not in output
    assert _version(killed) == _version(undisturbed)
    assert not curve.parent.exists()
