"""What the schema of compose cannot know of docker/compose*.yaml: what we promise of it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.airflow_environment import AirflowHome, airflow_variables
from schemas.run.settings import REPOSITORY

DOCKER = REPOSITORY / "docker"
TEXT = (DOCKER / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"make-secrets", "prepare-database", "prepare-airflow"}
OURS = {name for name, service in SERVICES.items() if "coldstart-" in service["image"]}
each_service = pytest.mark.parametrize("name", SERVICES)
each_of_ours = pytest.mark.parametrize("name", sorted(OURS))


@each_service
def test_ports_are_published_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{\w+:-\d+\}:\d+", port)
    assert SERVICES[name].get("network_mode") != "host"


@each_service
def test_a_container_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), "root"
    assert service["mem_limit"]
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & service.keys()


@each_service
def test_a_service_is_watched_and_a_preparation_ends(name: str) -> None:
    service = SERVICES[name]
    if name in ONCE:
        assert service["restart"] == "no"
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"


@each_service
def test_a_service_waits_for_what_it_needs(name: str) -> None:
    for other, condition in SERVICES[name].get("depends_on", {}).items():
        expected = "service_completed_successfully" if other in ONCE else "service_healthy"
        assert condition == {"condition": expected}
    if name != "make-secrets":
        assert "make-secrets" in _before(name), "its secrets may not be there yet"


def _before(name: str) -> set[str]:
    """All services that this one waits for, and those that they wait for."""
    own = set(SERVICES[name].get("depends_on", {}))
    return own.union(*(_before(other) for other in own))


@each_of_ours
def test_what_a_service_starts_is_in_its_image(name: str) -> None:
    words = [*SERVICES[name]["command"], *SERVICES[name].get("healthcheck", {}).get("test", [])]
    scripts = [word for word in words if word.startswith("docker/")]
    assert scripts or words[0] == "airflow"
    for script in scripts:
        assert (REPOSITORY / script).is_file(), script


@each_of_ours
def test_a_volume_is_mounted_on_a_folder_that_the_user_owns(name: str) -> None:
    script = (DOCKER / "scripts" / "add_user.sh").read_text()
    for volume in SERVICES[name]["volumes"]:
        source, path, *mode = volume.rsplit(":", 2) if volume.endswith(":ro") else volume.split(":")
        is_named_ours = source in COMPOSE["volumes"]
        assert f'"$root{path}"' in script if is_named_ours else mode == ["ro"], volume


@each_service
def test_what_is_mounted_is_there(name: str) -> None:
    """In the place of a source that is missing Docker makes an empty folder, without a word."""
    files = [volume for volume in SERVICES[name].get("volumes", []) if volume.startswith(".")]
    for volume in files:
        assert (DOCKER / volume.split(":")[0]).is_file(), volume


def test_secrets_reach_who_needs_them_and_only_one_may_write() -> None:
    readers: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            if volume.startswith("secrets-"):
                readers.setdefault(volume.split(":")[0].removeprefix("secrets-"), set()).add(name)
                assert volume.endswith(":ro") or name == "make-secrets", volume
    airflow = {"prepare-airflow", "api-server", "dag-processor", "triggerer", "scheduler"}
    assert readers == {
        "administrator": {"make-secrets", "postgres", "prepare-database"},
        "airflow": {"make-secrets", "prepare-database", *airflow},
        "spark": {"make-secrets", "scheduler", "spark-master", "spark-worker"},
    }


def test_no_password_stands_in_a_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            where = f"{name}: {variable}"
            assert not re.search(r"://[^/@]*:[^/@]*@", str(value)), where
            if re.search(r"PASSWORD|SECRET|TOKEN|_KEY|PASSFILE", variable):
                assert re.match(r"(cat )?/(secrets|tmp)/", str(value)), where


def test_airflows_options_exist_and_commands_are_for_secrets() -> None:
    known = _airflows_options()
    for variable in SERVICES["scheduler"]["environment"]:
        if variable.startswith("AIRFLOW__"):
            section, option = variable.removeprefix("AIRFLOW__").lower().split("__")
            plain = option.removesuffix("_cmd")
            assert plain in known[section], variable
            if plain != option:
                assert known[section][plain].get("sensitive"), f"{variable} would be ignored"


def _airflows_options() -> dict[str, dict[str, dict[str, Any]]]:
    spec = importlib.util.find_spec("airflow")
    assert spec
    assert spec.submodule_search_locations
    folder = Path(next(iter(spec.submodule_search_locations)))
    sections = yaml.safe_load((folder / "config_templates" / "config.yml").read_text())
    managers = {  # read without being in that file
        "simple_auth_manager_users": {},
        "simple_auth_manager_passwords_file": {},
    }
    options = {name: section["options"] for name, section in sections.items()}
    return {**options, "core": {**managers, **options["core"]}}


def test_the_local_platform_and_this_one_set_the_same(tmp_path: Path) -> None:
    local = airflow_variables(AirflowHome(path=tmp_path), api_port=8080, scheduled=False)
    here = {name.removesuffix("_CMD") for name in SERVICES["scheduler"]["environment"]}
    by_command_line = {"AIRFLOW__API__HOST", "AIRFLOW__API__PORT", "AIRFLOW__API__WORKERS"}
    in_the_image = {"AIRFLOW_HOME"}
    not_read_here = {"NO_COLOR"}
    assert set(local) - here <= by_command_line | in_the_image | not_read_here


def test_variables_have_defaults_and_are_explained() -> None:
    without = set(re.findall(r"\$\{(\w+)\}", TEXT))
    assert without == set(), "the first start would ask for them"
    explained = TEXT.partition("\nname:")[0]
    for name in set(re.findall(r"\$\{(\w+):[-+]", TEXT)):
        assert re.search(rf"\b{name}\b", explained), f"{name} is not in the comment at the top"


def test_the_gpu_goes_to_the_service_that_runs_the_steps() -> None:
    overlay = yaml.safe_load((DOCKER / "compose.gpu.yaml").read_text())["services"]
    assert set(overlay) == {"scheduler"}
    (device,) = overlay["scheduler"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert overlay["scheduler"]["image"] == f"{SERVICES['scheduler']['image']}-cuda"
