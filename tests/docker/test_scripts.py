"""The scripts of the images' RUN steps, run where there is no container."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from schemas.run.settings import REPOSITORY

SCRIPTS = REPOSITORY / "docker" / "scripts"


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": sys.executable, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One with a single small part, pinned to a version that is not the newest."""
    shutil.copytree(SCRIPTS, tmp_path / "docker" / "scripts")
    part = tmp_path / "docker" / "requirements" / "small.txt"
    part.parent.mkdir()
    part.write_text("six  # needs nothing else\n")
    (tmp_path / "constraints.txt").write_text("six==1.16.0\n")
    return tmp_path


@pytest.mark.longest  # it makes an environment, and installs into it twice
@pytest.mark.usefixtures("process")
def test_a_part_is_installed_as_pinned(repository: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    script = repository / "docker" / "scripts" / "install_packages.sh"
    for _ in range(2):  # the second time finds the environment there
        done = run(script, environment, "small")
        assert done.returncode == 0, done.stderr
        assert "No broken requirements found" in done.stdout
    asked = run(environment / "bin" / "python", "-Ic", "import six; print(six.__version__)")
    assert asked.stdout == "1.16.0\n"


@pytest.mark.parametrize(
    ("parts", "message"), [(["large"], "no part 'large'"), ([], "at least one part")]
)
def test_what_is_no_part_installs_nothing(
    repository: Path, tmp_path: Path, parts: list[str], message: str
) -> None:
    script = repository / "docker" / "scripts" / "install_packages.sh"
    done = run(script, tmp_path / "environment", *parts)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "environment").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away, as in an image's build")
def test_the_user_owns_the_folders_of_the_volumes(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    done = run(SCRIPTS / "add_user.sh", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "etc" / "passwd").read_text().split(":")[:4] == [
        *("coldstart", "x", "10001", "10001")
    ]
    assert (tmp_path / "etc" / "group").read_text() == "coldstart:x:10001:\n"
    made = {
        str(path.relative_to(tmp_path)): (path.stat().st_uid, oct(path.stat().st_mode & 0o777))
        for path in tmp_path.rglob("*")
        if path.is_dir() and path.stat().st_uid == 10001
    }
    assert made == {
        "scratch": (10001, "0o750"),
        "secrets/administrator": (10001, "0o750"),
        "secrets/airflow": (10001, "0o700"),
        "secrets/spark": (10001, "0o700"),
        "var/lib/coldstart": (10001, "0o750"),
        "var/log/airflow": (10001, "0o750"),
    }


def test_compiled_sources_are_used_as_they_are(tmp_path: Path) -> None:
    module = tmp_path / "packages" / "told.py"
    module.parent.mkdir()
    module.write_text("print('as built')\n")
    assert run(SCRIPTS / "compile_source.sh", module.parent).returncode == 0
    module.write_text("print('changed')\n")  # with another time, as a copy may have
    asked = run(sys.executable, "-c", "import told", PYTHONPATH=str(module.parent))
    assert asked.stdout == "as built\n"


def test_source_that_does_not_compile_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def\n")
    assert run(SCRIPTS / "compile_source.sh", tmp_path).returncode != 0


class Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        said = {"scheduler": {"status": "unhealthy"}, "triggerer": {"status": "healthy"}}
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "expectation", "code", "complaint"),
    [
        ("/health", "triggerer.status=healthy", 0, ""),
        ("/health", "scheduler.status=healthy", 1, "scheduler.status is unhealthy"),
        ("/health", "dag_processor.status=healthy", 1, "says nothing of dag_processor.status"),
        ("/elsewhere", "triggerer.status=healthy", 1, "does not answer: HTTP Error 404"),
    ],
)
def test_health_is_what_the_service_says(
    service: str, path: str, expectation: str, code: int, complaint: str
) -> None:
    done = run(sys.executable, "-I", SCRIPTS / "healthy.py", service + path, expectation)
    assert done.returncode == code
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_there_is_not_healthy() -> None:
    done = run(sys.executable, "-I", SCRIPTS / "healthy.py", "http://127.0.0.1:1/")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
