"""What hadolint cannot know of docker/Dockerfile: its scripts, its sources, its packages."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from schemas.run.settings import REPOSITORY

DOCKERFILE = (REPOSITORY / "docker" / "Dockerfile").read_text()
TARGETS = ("airflow", "trainer", "night", "spark")
PARTS = REPOSITORY / "docker" / "requirements"
ONLY_OUTSIDE = {"psutil"}  # local/ supervises processes; containers have an engine for that


def instructions(text: str, name: str) -> list[str]:
    """The arguments of an instruction wherever it stands, continued lines joined."""
    return re.findall(rf"^{name} +(.+)$", text.replace("\\\n", ""), re.MULTILINE)


def stage(target: str) -> str:
    """What the stage of the image `target` says after its FROM."""
    return DOCKERFILE.partition(f" AS {target}\n")[2].partition("\nFROM ")[0]


def names(requirements: list[str]) -> set[str]:
    """Of lines of requirements, the packages without versions and comments."""
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    return {match.group() for match in found if match}


def test_every_run_is_one_script() -> None:
    runs = instructions(DOCKERFILE, "RUN")
    assert len(runs) == 6
    for run in runs:
        script, *arguments = run.split()
        assert re.fullmatch(r"docker/scripts/\w+\.sh", script), run
        assert (REPOSITORY / script).stat().st_mode & 0o111, f"{script} cannot be executed"
        assert all(re.fullmatch(r"[\w/]+|\$\{AIRFLOW_PARTS\}", each) for each in arguments), run


def test_the_base_is_pinned_by_digest() -> None:
    (image,) = [each for each in instructions(DOCKERFILE, "ARG") if each.startswith("PYTHON_IMAGE")]
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64}", image)
    outside = {each.split()[0] for each in instructions(DOCKERFILE, "FROM")}
    stages = {each.split()[-1] for each in instructions(DOCKERFILE, "FROM")}
    assert outside - stages == {"${PYTHON_IMAGE}"}


@pytest.mark.parametrize("target", TARGETS)
def test_every_image_runs_as_nobody_in_particular(target: str) -> None:
    assert stage(target).split("\n")[:2] == [
        "COPY --from=source /opt/coldstart /opt/coldstart",
        "USER 10001:10001",
    ]


def test_only_what_runs_is_sent_to_the_build() -> None:
    rules = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert [rule for rule in rules if not rule.startswith(("#", "!"))] == ["*", "**/__pycache__"]
    sent = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert sent == {
        *("constraints.txt", "dags", "jobs", "meta_model", "schemas"),
        *("docker/requirements", "docker/scripts"),
    }
    copied = [each.split() for each in instructions(DOCKERFILE, "COPY") if "--from" not in each]
    for path in (path for *sources, _ in copied for path in sources if path != "."):
        assert (REPOSITORY / path).exists(), path
        assert any(fnmatch(path, rule) or path.startswith(f"{rule}/") for rule in sent), path


def test_the_images_have_what_the_project_needs() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    parts = {path.stem: path.read_text().splitlines() for path in PARTS.glob("*.txt")}
    night = names(
        [line for part in ("airflow", "meta_model", "spark", "jobs") for line in parts[part]]
    )
    assert night - {"psycopg2-binary", "asyncpg"} == names(project["dependencies"]) - ONLY_OUTSIDE


def test_every_package_of_an_image_is_pinned() -> None:
    pinned = names((REPOSITORY / "constraints.txt").read_text().splitlines())
    normal = {name.lower().replace("_", "-") for name in pinned}
    for path in PARTS.glob("*.txt"):
        for line in path.read_text().splitlines():
            own_pin = re.match(r"[\w-]+==[\w.]+", line)
            assert line.startswith("#") or own_pin or names([line]) <= normal, f"{path}: {line}"


def test_scripts_do_not_depend_on_bash_being_elsewhere() -> None:
    for script in Path(REPOSITORY / "docker" / "scripts").glob("*.sh"):
        lines = script.read_text().splitlines()
        assert lines[0] == "#!/usr/bin/env bash"
        assert "set -euo pipefail" in lines, f"{script} would go on after a failure"
