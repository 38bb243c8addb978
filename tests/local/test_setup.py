"""Which Python makes `.venv`, and what a person is told where none fits."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from local.supported import NEWEST, OLDEST, SUPPORTED, complaint
from schemas.run.settings import REPOSITORY

TOOLS = ("bash", "dirname")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Its `bin` is all of PATH: what `setup.sh` itself needs, and what tests put there."""
    (tmp_path / "local").mkdir()
    for name in ("setup.sh", "supported.py"):
        shutil.copy(REPOSITORY / "local" / name, tmp_path / "local" / name)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def put(path: Path, *, code: int = 0) -> None:
    """A Python whose version fits (code 0), or not; it says by which name it was started."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "#!/bin/bash\n"
        f'if [[ $1 == local/supported.py ]]; then echo "I am $0" >&2; exit {code}; fi\n'
        'echo "${0##*/} $*"\n'
    )
    path.chmod(0o755)


def set_up(checkout: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "local" / "setup.sh"],
        env={"PATH": str(checkout / "bin"), **variables},
        cwd="/",
        capture_output=True,
        text=True,
    )


def test_the_newest_that_runs_is_taken(checkout: Path) -> None:
    for name, code in {"python3.13": 127, "python3.12": 0, "python3.11": 0, "python3": 2}.items():
        put(checkout / "bin" / name, code=code)
    done = set_up(checkout)
    assert (done.returncode, done.stdout) == (0, "python3.12 -m local.install\n")


def test_an_environment_keeps_its_python(checkout: Path) -> None:
    put(checkout / "bin" / "python3.13")
    put(checkout / ".venv" / "bin" / "python")
    assert set_up(checkout).stdout == "python -m local.install\n"
    put(checkout / ".venv" / "bin" / "python", code=2)  # one from before the range moved
    assert set_up(checkout).stdout == "python3.13 -m local.install\n"


def test_a_python_that_is_named_goes_before_all_others(checkout: Path) -> None:
    put(checkout / "bin" / "python3.13")
    put(checkout / "named")
    put(checkout / ".venv" / "bin" / "python")
    done = set_up(checkout, PYTHON=str(checkout / "named"))
    assert done.stdout == "named -m local.install\n"
    put(checkout / "named", code=2)
    refused = set_up(checkout, PYTHON=str(checkout / "named"))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"I am {checkout / 'named'}\n"


def test_uv_brings_one_where_none_fits(checkout: Path) -> None:
    put(checkout / "bin" / "python3", code=2)
    put(checkout / "brought")
    uv = checkout / "bin" / "uv"
    uv.write_text(f"#!/bin/bash\n[[ $2 == install ]] || echo {checkout / 'brought'}\n")
    uv.chmod(0o755)
    done = set_up(checkout)
    assert done.returncode == 0
    assert "uv fetches one, which is a download of its own" in done.stdout
    assert done.stdout.endswith("brought -m local.install\n")
    uv.write_text("#!/bin/bash\necho no route >&2\nexit 1\n")
    failed = set_up(checkout)
    assert failed.returncode == 2
    assert failed.stderr.startswith("no route\nuv has brought no Python 3.13")


def test_no_python_at_all(checkout: Path) -> None:
    done = set_up(checkout)
    assert done.returncode == 2
    assert "no Python was found on PATH" in done.stderr
    assert "make PYTHON=/path/to/python3.13" in done.stderr


@pytest.mark.parametrize("version", [(3, 10, 13), (3, 14, 0), (2, 7, 18)])
def test_one_that_does_not_fit_is_reported(version: tuple[int, int, int]) -> None:
    said = complaint(version, "/usr/bin/python3")
    assert said.startswith(f"this is Python {'.'.join(map(str, version))} (/usr/bin/python3)")
    assert "expected Python 3.11 to 3.13" in said
    assert "make PYTHON=/path/to/python3.13" in said


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 9), (3, 13, 0)])
def test_one_that_fits(version: tuple[int, int, int]) -> None:
    assert complaint(version, "python3") == ""


def test_all_places_name_the_same_pythons() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    oldest = ".".join(map(str, OLDEST))
    above = f"{NEWEST[0]}.{NEWEST[1] + 1}"
    assert project["project"]["requires-python"] == f">={oldest},<{above}"
    assert project["tool"]["mypy"]["python_version"] == oldest
    assert project["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    script = (REPOSITORY / "local" / "setup.sh").read_text()
    tried = re.findall(r"python3\.(\d+) ", re.findall(r"for candidate in (.*);", script)[0])
    assert [(3, int(minor)) for minor in tried] == sorted(SUPPORTED, reverse=True)


def test_constraints_are_for_every_python_and_name_no_index() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.lstrip().startswith("#")]
    assert all(re.match(r"[a-z0-9.-]+==[\w.]+( ; .+)?$", pin) for pin in pins)
    assert not [line for line in lines if "://" in line or "+cpu" in line]
    assert len({pin.split("==")[0] for pin in pins}) == len(pins)
