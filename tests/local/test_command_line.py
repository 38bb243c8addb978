import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.__main__ import main
from local.airflow_environment import AirflowHome, airflow_variables
from local.services import single_instance
from schemas.errors import UserError
from schemas.run.settings import REPOSITORY, Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("COLDSTART_HOME", str(tmp_path / "home"))
    return Settings.from_environment()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nightly", "--ds", "31.3.1998"], "ds is '31.3.1998', which is not a date; expected"),
        (["backfill", "--from", "1998-03-01", "--to", "1998-02-30"], "'1998-02-30'"),
        (["backfill", "--from", "1998-03-02", "--to", "1998-03-01"], "swap FROM and TO"),
    ],
)
def test_a_wrong_date_is_reported_before_anything_starts(
    settings: Settings, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not settings.home.exists()


def test_a_home_has_one_launcher_at_a_time(settings: Settings) -> None:
    in_use = pytest.raises(UserError, match=rf"in use by `make ui` \(process {os.getpid()}\)")
    with single_instance(settings, "ui"), in_use, single_instance(settings, "nightly"):
        pass
    with single_instance(settings, "nightly"):
        pass


def test_secrets_are_kept_and_private(settings: Settings) -> None:
    home = AirflowHome.of(settings)
    variables = airflow_variables(home, api_port=8080, scheduled=False)
    assert airflow_variables(home, api_port=8080, scheduled=False) == variables
    assert set(home.passwords()) == {"admin", "analyst"}
    for path in home.path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_airflow_serves_the_loopback_interface_alone(settings: Settings) -> None:
    variables = airflow_variables(AirflowHome.of(settings), api_port=8123, scheduled=False)
    assert variables["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert variables["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:8123"
    assert variables["AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"] == "False"


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # PYTHON=true: the environment this test runs in is the one there is.
    command = ["make", "--silent", "PYTHON=true", *arguments]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, env=environment)


def test_help_lists_every_target() -> None:
    listed = {line.split()[1] for line in make().stdout.splitlines()}
    makefile = (REPOSITORY / "Makefile").read_text()
    phony = next(line for line in makefile.splitlines() if line.startswith(".PHONY: "))
    assert listed == set(phony.removeprefix(".PHONY: ").split())


def test_every_page_of_lists_is_measured_by_its_target() -> None:
    pages = {file.stem for file in (REPOSITORY / "docs" / "benchmarks").glob("lists-*.json")}
    shown = make("--dry-run", "benchmark-lists", "DATA=/splits").stdout
    assert re.search(r"--dataset ml-100k --folds 3 .*\n?.*lists-ml-100k.json", shown)
    datasets = re.search(r"for dataset in (.*?);", shown)
    assert datasets is not None
    assert pages == {"lists-ml-100k", *(f"lists-{name}" for name in datasets[1].split())}


def test_a_variable_of_make_is_one_argument_whatever_is_in_it(settings: Settings) -> None:
    answer = make("nightly", "DS=1998'; touch hacked; '")
    assert "which is not a date" in answer.stderr
    assert not (REPOSITORY / "hacked").exists()
