"""The snippets of the pages: a data set's spec, settings, SQL for roles, names in Python."""

from __future__ import annotations

import re
import tomllib

import pytest

from schemas.dataset import spec as dataset_spec
from schemas.run.settings import REPOSITORY
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
