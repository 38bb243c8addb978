"""Who says what lists are ordered by: the run, then the team's file, then the dataset spec."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from meta_model import __main__ as command_line
from meta_model.config import Config
from schemas.dataset import choice as dataset_choice
from schemas.dataset.spec import BUNDLED
from schemas.pipeline import META_TRAIN

SPEC = (BUNDLED / "ml-100k.toml").read_text()
IMPLICIT = (BUNDLED / "toys.toml").read_text()
BY_SET = ("--set", "products.rank_by=rating")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLDSTART_HOME", str(tmp_path))
    return tmp_path


def _bind(home: Path, rank_by: str | None) -> None:
    """The lake's spec, as `ingest` leaves it."""
    file = home / "of_source.toml"
    file.write_text(SPEC if rank_by is None else f'rank_by = "{rank_by}"\n{SPEC}')
    dataset_choice.bind(home / "lake", file)


def _train(*options: str) -> tuple[int, Config | None]:
    """The exit code, and the config that the step trains with."""
    with mock.patch("meta_model.steps.meta_train.run_train") as run_train:
        code = command_line.main([META_TRAIN.name, "--ds", "1998-03-31", *options])
    return code, run_train.call_args.args[4] if run_train.called else None


@pytest.mark.parametrize(
    ("of_spec", "of_team", "options", "expected"),
    [
        (None, None, (), "p_like"),
        ("choice", None, (), "choice"),
        (None, "choice", (), "choice"),
        ("choice", "rating", (), "rating"),
        ("rating", "p_like", (), "p_like"),
        ("choice", None, BY_SET, "rating"),
        ("choice", "p_like", BY_SET, "rating"),
        ("choice", "p_like", ("--rank-by", "rating"), "rating"),
        ("rating", None, ("--rank-by", "p_like"), "p_like"),
    ],
)
def test_the_run_wins_over_the_team_s_file_and_that_over_the_spec(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    of_spec: str | None,
    of_team: str | None,
    options: tuple[str, ...],
    expected: str,
) -> None:
    _bind(home, of_spec)
    if of_team is not None:
        (home / "coldstart.toml").write_text(f'[run]\nrank_by = "{of_team}"\n')
        monkeypatch.setenv("COLDSTART_CONFIG", str(home / "coldstart.toml"))
    code, config = _train(*options)
    assert code == 0
    assert config is not None
    assert config.products.rank_by == expected


@pytest.mark.parametrize(
    ("spec", "rank_by", "message"),
    [
        (SPEC, "stars", "rank_by is 'stars', expected 'p_like', 'choice' or 'rating'."),
        (IMPLICIT, "rating", "rank_by is 'rating', expected 'p_like' or 'choice': feedback is"),
    ],
)
def test_an_order_that_cannot_be_ends_the_step_before_it_trains(
    home: Path, caplog: pytest.LogCaptureFixture, spec: str, rank_by: str, message: str
) -> None:
    (home / "lake").mkdir()
    (home / "lake" / "dataset.toml").write_text(f'rank_by = "{rank_by}"\n{spec}')
    assert _train() == (2, None)
    assert message in caplog.text
