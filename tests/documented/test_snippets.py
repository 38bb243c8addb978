"""The snippets of the pages: a data set's spec, settings, SQL for roles, names in Python."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from schemas.dataset import spec as dataset_spec
from schemas.errors import UserError
from schemas.run.settings import REPOSITORY
from schemas.run.team_file import team_file
from schemas.warehouse.uri import WarehouseUri
from tests.documented.pages import commands, fences

SPECS = [text for page, text in fences("toml") if page == "CONTRIBUTING.md"]


def test_the_spec_of_the_example_is_one(tmp_path) -> None:
    [whole, database] = SPECS
    file = tmp_path / "dataset.toml"
    file.write_text(whole)
    spec = dataset_spec.load(file)
    assert spec.name == "shop"
    before, of_files, after = re.split(r"(\[interactions\].*\nfile = .*\n)", whole)
    assert "ratings.csv" in of_files
    interactions, section = database.split("\n\n", 1)
    file.write_text(f"{before}{interactions}\n{after}{section}")
    assert dataset_spec.load(file).database is not None


def test_the_first_error_of_your_own_data_is_what_its_spec_gives(tmp_path: Path) -> None:
    page = "docs/your-own-data.md"
    spec, _ = (text for name, text in fences("toml") if name == page)
    shown = next(text for name, text in fences("") if name == page and "mistakes" in text)
    file = tmp_path / "dataset.toml"
    file.write_text(spec)
    with pytest.raises(UserError) as raised:
        dataset_spec.load(file)
    said = str(raised.value).replace(str(tmp_path), "/data/shop")
    assert said.split() == shown.removeprefix("error:").split()


def test_the_example_of_a_teams_file_is_one(tmp_path: Path) -> None:
    [text] = [text for page, text in fences("toml") if page == "docs/settings.md"]
    file = tmp_path / "coldstart.toml"
    file.write_text(text)
    found = team_file({"COLDSTART_CONFIG": str(file)})
    assert found.run.model == "mamo"
    assert found.alert_connections == ("chat", "mail")


@pytest.mark.parametrize("uri", [
    word.partition("=")[2] for command in commands() for word in command.words
    if word.startswith("COLDSTART_WAREHOUSE=") and "..." not in word
])  # fmt: skip
def test_addresses_of_warehouses_are_understood(uri: str) -> None:
    assert WarehouseUri.parse(uri).engine == uri.partition(":")[0]


def test_files_that_commands_name_are_there() -> None:
    named = {
        word
        for command in commands()
        for word in command.words
        if word.startswith(("docker/scripts/", "docker/kubernetes/", "schemas/", "tests/"))
        and word.endswith((".sh", ".py", ".sql", ".yaml", ".toml"))
        and not {"*", "<"} & set(word)
    }
    assert len(named) > 8
    assert [name for name in sorted(named) if not (REPOSITORY / name).exists()] == []


def test_an_entry_point_is_named_as_the_registry_reads_it() -> None:
    [text] = [text for page, text in fences("toml") if page == "docs/learners/your-own.md"]
    declared = tomllib.loads(text)["project"]["entry-points"]
    registry = (REPOSITORY / "schemas" / "run" / "learners.py").read_text()
    [group] = declared
    assert f'"{group}"' in registry
