"""What is installed and when, with a Python and a uv that only note what they were asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from local.install import fingerprint, install, requirements_of
from local.stages import InstallError

PYPROJECT = """
[project]
dependencies = ["b==1"]
[project.optional-dependencies]
dev = ["pytest"]
"""
VERSION = " ".join(map(str, sys.version_info[:2]))
PIP = "python -m pip --disable-pip-version-check"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With no uv on PATH."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "constraints.txt").write_text("b==1\n")
    return tmp_path


def fake(executable: Path, calls: Path, then: str) -> None:
    executable.parent.mkdir(parents=True, exist_ok=True)
    executable.write_text(
        '#!/bin/sh\nif [ "$1" = -c ]; then echo "${VERSION}"; exit; fi\n'
        f'echo "{executable.name} $*" >> {calls}\n{then}\n'.replace("${VERSION}", VERSION)
    )
    executable.chmod(0o755)


Make = Callable[..., Path]


@pytest.fixture
def python(repository: Path) -> Make:
    """Puts a `.venv` in place whose `python` and `uv` note their arguments, then run some shell."""

    def make(then: str = "", uv: str = "") -> Path:
        folder, calls = repository / ".venv" / "bin", repository / "calls"
        calls.unlink(missing_ok=True)
        fake(folder / "python", calls, then)
        fake(folder / "uv", calls, uv)
        return calls

    return make


def asked(calls: Path) -> list[str]:
    """But for what pip was asked of its settings."""
    lines = calls.read_text().replace(f"{calls.parent}/", "").splitlines()
    return [line for line in lines if not line.endswith("config list")]


def test_requirements_are_the_direct_ones_and_those_for_development(repository: Path) -> None:
    assert requirements_of(repository) == ["b==1", "pytest"]


def test_uv_comes_as_a_wheel_and_installs(repository: Path, python: Make) -> None:
    calls = python()
    assert install(repository) is True
    assert asked(calls) == [
        f"{PIP} install --only-binary :all: -c constraints.txt uv",
        "uv pip install --python .venv/bin/python -c constraints.txt b==1 pytest",
        "uv pip check --python .venv/bin/python",
    ]
    assert install(repository) is False


@pytest.mark.parametrize(
    "fault", [{"then": 'case "$*" in *:all:*) exit 1;; esac'}, {"uv": "exit 2"}], ids=str
)
def test_pip_installs_where_uv_cannot(
    repository: Path, python: Make, fault: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    calls = python(**fault)
    assert install(repository) is True
    assert asked(calls)[-2:] == [
        f"{PIP} install -c constraints.txt b==1 pytest",
        f"{PIP} check",
    ]
    assert "failed, see .venv/install.log" in capfd.readouterr().out


@pytest.fixture
def uv_on_path(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A uv that makes an environment, whose Python is a copy of it; what both were asked."""
    calls, folder = repository / "calls", repository / ".venv"
    made = f'case "$1" in venv) mkdir -p {folder}/bin; cp "$0" {folder}/bin/python;; esac'
    fake(tmp_path / "path" / "uv", calls, made)
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    return calls


def test_uv_on_path_comes_first(repository: Path, uv_on_path: Path) -> None:
    assert install(repository) is True
    base = getattr(sys, "_base_executable", sys.executable)
    assert asked(uv_on_path) == [
        f"uv venv --allow-existing --seed --python {base} .venv",
        "uv pip install --python .venv/bin/python -c constraints.txt b==1 pytest",
        "uv pip check --python .venv/bin/python",
    ]


def test_uv_looks_where_pip_looks(
    repository: Path, python: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with the password of a mirror, which is in no log."""
    told = (
        "global.index-url='https://me:s3cret@mirror.example/simple'",
        "global.find-links='/nowhere'",
        ":env:.find-links='/wheels /more'",
        r"install.extra-index-url='\nfile:///a\nfile:///b'",
        "global.timeout='180'",
    )
    lines = "\n".join(told)
    settings = f"case \"$*\" in *list) cat <<'END'\n{lines}\nEND\n;; esac"
    names = "$UV_DEFAULT_INDEX|$UV_FIND_LINKS|$UV_INDEX|$UV_INDEX_STRATEGY|$UV_NO_INDEX"
    calls = python(settings, uv=f'echo "{names}" >> {repository}/calls')
    monkeypatch.setenv("UV_NO_INDEX", "0")
    install(repository)
    assert (
        "https://me:s3cret@mirror.example/simple|/wheels,/more|file:///a file:///b"
        "|unsafe-best-match|0"
    ) in calls.read_text()
    assert "s3cret" not in (repository / ".venv" / "install.log").read_text()


def test_an_environment_of_another_python_is_made_again(
    repository: Path, python: Make, uv_on_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    python()
    (repository / ".venv" / "bin" / "python").write_text("#!/bin/sh\necho 3 9\n")
    left = repository / ".venv" / "left over"
    left.touch()
    assert install(repository) is True
    assert not left.exists()
    assert asked(uv_on_path)[0].startswith("uv venv ")
    assert "of another Python, or broken: it is made again" in capfd.readouterr().out


def test_a_link_to_another_environment_is_left_alone(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (repository / ".venv").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InstallError, match=r"\.venv leads to .*elsewhere, which has no Python"):
        install(repository)


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_what_is_needed_makes_it_stale(
    repository: Path, python: Make, changed: str
) -> None:
    python()
    install(repository)
    text = (repository / changed).read_text()
    (repository / changed).write_text(text.replace("b==1", "b==2"))
    assert install(repository) is True


def test_an_environment_that_was_moved_is_stale(repository: Path, tmp_path: Path) -> None:
    before = fingerprint(repository, [])
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "constraints.txt").write_text((repository / "constraints.txt").read_text())
    assert fingerprint(moved, []) != before


@pytest.mark.parametrize(
    ("then", "uv"),
    [
        ("echo no index; exit 1", "exit 1"),
        ("", 'case "$2" in check) echo no index; exit 1;; esac'),
    ],
)
def test_a_failed_install_counts_as_none(
    repository: Path, python: Make, then: str, uv: str
) -> None:
    python()
    install(repository)
    (repository / "constraints.txt").write_text("b==3\n")
    python(then, uv)
    for _ in range(2):
        with pytest.raises(InstallError, match="run the same command again") as told:
            install(repository)
        assert "    no index\n" in str(told.value)
        assert str(repository / ".venv" / "install.log") in str(told.value)
    # Back to what was installed before: the failed attempt may have changed half of it.
    (repository / "constraints.txt").write_text("b==1\n")
    python()
    assert install(repository) is True
