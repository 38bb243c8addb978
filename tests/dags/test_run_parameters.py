"""Parameters of a run that would be ignored, or make a backfill of one day, are refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from step_operator import check_run

from schemas.errors import UserError

KNOWN = {"ds": None, "model": "melu"}


def _run(run_type: str, **conf: Any) -> Any:
    return SimpleNamespace(run_type=run_type, conf=conf)


def test_a_backfill_with_a_ds_is_refused() -> None:
    with pytest.raises(UserError, match=r"ds = '1998-03-31'.*each run covers.*Start the backfill"):
        check_run({"ds": "1998-03-31"}, KNOWN, _run("backfill", ds="1998-03-31"))
    check_run({"ds": None}, KNOWN, _run("backfill"))
    check_run({"ds": "1998-03-31"}, KNOWN, _run("manual", ds="1998-03-31"))


@pytest.mark.parametrize("run_type", ["manual", "backfill", "scheduled"])
def test_unknown_parameters_are_refused_by_name(run_type: str) -> None:
    with pytest.raises(UserError, match=r"\['DS', 'epcohs'\], which there are not.*'model'"):
        check_run({"ds": None}, KNOWN, _run(run_type, epcohs=3, DS="1998-03-31", model="maml"))
