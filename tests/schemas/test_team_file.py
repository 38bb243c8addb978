"""What a team sets once: the environment wins over its file, and its mistakes are told in words."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

import pytest

from jobs.__main__ import main
from schemas import docs
from schemas.errors import UserError
from schemas.run import command_line
from schemas.run.settings import Settings
from schemas.run.team_file import TeamFile, number, team_file, variables


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "coldstart.toml"
    file.write_text(docs.EXAMPLE)
    return file


def test_without_a_file_everything_is_as_it_was() -> None:
    assert team_file({}) == TeamFile()
    assert {name: value for name, value in variables({}).items() if value.isdigit()} == {
        "COLDSTART_RETRIES": "3",
        "COLDSTART_STEP_TIMEOUT_HOURS": "6",
        "COLDSTART_DEADLINE_HOURS": "6",
    }


def test_the_environment_wins_over_the_file(file: Path) -> None:
    environment = {"COLDSTART_CONFIG": str(file), "COLDSTART_SOURCE": "/data/other"}
    settings = Settings.from_environment(environment)
    assert str(settings.warehouse) == "postgresql://coldstart_writer@db.example.com/shop"
    assert settings.source == Path("/data/other")
    assert (
        variables({**environment, "COLDSTART_SPARK_MEMORY": ""})["COLDSTART_SPARK_MEMORY"] == "8g"
    )
    assert variables(environment)["COLDSTART_ALERT_CONNECTIONS"] == "chat,mail"
    assert team_file(environment).run.top_k == 50


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [("step_timeout_hours", "0.5", 1), ("step_timeout_hours", "0", 1), ("retries", "-1", 0)],
)
def test_a_number_of_the_environment_is_held_to_the_same_rules(
    name: str, value: str, least: int
) -> None:
    variable = f"COLDSTART_{name.upper()}"
    with pytest.raises(UserError, match=f"{variable} is '{value}'; expected .* from {least}"):
        number(name, {variable: value})
    assert number(name, {variable: "2"}) == 2
    assert number(name, {}) == getattr(TeamFile(), name)


def test_paths_begin_at_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('home = "state"\nspark_jars = ["a.jar", "/opt/b.jar"]\n')
    monkeypatch.chdir("/")
    settings = Settings.from_environment({"COLDSTART_CONFIG": str(file)})
    assert settings.home == file.parent / "state"
    assert settings.spark_jars == f"{file.parent / 'a.jar'},/opt/b.jar"


def test_all_mistakes_are_reported_at_once(file: Path) -> None:
    file.write_text('warehous = "x"\nretries = -1\n[run]\nrank_by = "luck"\n')
    with pytest.raises(UserError) as error:
        team_file({"COLDSTART_CONFIG": str(file)})
    for part in (
        f"3 mistakes:\n  1. {file}: retries is -1, expected 0 or more.",
        f"{file} [run]: rank_by is 'luck', expected 'p_like', 'choice' or 'rating'.",
        f"{file}: unknown key 'warehous'; the keys are ",
        "Did you mean 'warehouse'?",
    ):
        assert part in str(error.value)
    with pytest.raises(UserError, match=r"none\.toml does not exist; name an existing TOML file"):
        team_file({"COLDSTART_CONFIG": str(file.parent / "none.toml")})


def test_commands_take_the_team_s_model_and_tell_a_mistake_before_they_begin(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("COLDSTART_CONFIG", str(file))
    parser = ArgumentParser()
    command_line.add_model(parser)
    assert parser.parse_args([]).model == "mamo"
    assert parser.parse_args(["--model", ""]).model == "mamo", "as `make nightly` says it"
    assert parser.parse_args(["--model", "maml"]).model == "maml"
    file.write_text("retry = 3")
    with pytest.raises(SystemExit) as ended:
        main(["gate", "--ds", "1998-03-31"])
    assert ended.value.code == 2
    assert "unknown key 'retry'" in capsys.readouterr().err
    assert main(["ingest", "--ds", "1998-03-31"]) == 2
    assert "unknown key 'retry'" in caplog.text
