"""The summary shows a night from the warehouse, in lines that fit a terminal."""

from __future__ import annotations

import re
import subprocess
from datetime import date

import pytest

from jobs.tools import summary
from jobs.tools.text_table import text_table
from schemas.errors import UserError
from schemas.run.settings import REPOSITORY
from tests.jobs.engines import both_engines
from tests.jobs.night import of_lists


def _summary(night, capsys) -> str:
    night.publish()
    summary.run(night.settings, night.ds)
    return capsys.readouterr().out


@both_engines
def test_what_a_person_sees(night, capsys):
    night.rows["evidence_items"][0]["title"] = "A film with a title that never ends, " * 5
    lists = night.rows["list_quality"]
    lists += of_lists(melu=0.4, scenario="warm", n_users=61)
    for row in lists:
        row["n_users"] -= row["scenario"] == "user_cold" and row["known"] == "all"
    text = _summary(night, capsys)
    tables = text.split("Warehouse: ")[0]
    assert max(map(len, tables.splitlines())) <= 100
    assert re.search(r"A film with a title that never .*…\s+0\.0100", text)
    for line in (
        "show these to new users (rated it: share of existing users, at first)",
        "gain up to here  rated it  redundancy  interactions",
        "  rank  title   p_like   score  80% from      to",
        "     1  Film 3  0.5000  4.0000    3.0000  4.5000",
        "  lists of    0 known  1 known  3 known  5 known  10 known  all known  come back",
        "  users             -        -       30        -         -         29         61",
        "  melu              -        -   0.2000        -         -     0.2000     0.4000",
        "  item_knn          -        -   0.1500        -         -     0.1500          -",
        "user u2, 3 interactions, adapted to them",
        "user u3, 1 interaction, too few to adapt: unadapted model",
        "  user_cold  melu            12  0.8000  0.9000  0.8000           0.0200",
        "  user_cold  damped_bias     12  0.9000  1.0000  0.8000                -",
        "no tasks that day: warm, item_cold, both_cold",
        "  unknown_user        2",
    ):
        assert line in text, f"{line!r} not in\n{text}"
    assert text.index("user u2") < text.index("user u3")


@both_engines
def test_ranks_of_implicit_feedback(implicit_night, capsys):
    text = _summary(implicit_night, capsys)
    for line in (
        "  scenario   model       tasks     AUC   HR@10  nDCG@10  log loss  adaptation gain",
        "  user_cold  melu           12  0.8000  0.5000   0.3000    0.4000           0.0500",
        "  user_cold  chance         12  0.5000  0.1000   0.0500         -                -",
        "  user_cold  popularity     12  0.7000  0.4000   0.2000         -                -",
    ):
        assert line in text, f"{line!r} not in\n{text}"


@both_engines
def test_the_query_works_as_pasted(night, capsys):
    command = _summary(night, capsys).splitlines()[-1]
    pasted = subprocess.run(command, shell=True, cwd=REPOSITORY, capture_output=True, text=True)
    assert pasted.returncode == 0, pasted.stderr
    assert "Film 2" in pasted.stdout


@both_engines
def test_a_day_without_cold_users(night, capsys):
    night.rows["cold_user_scores"] = []
    night.rows["interactions_quarantine"] = []
    text = _summary(night, capsys)
    assert "Cold users of 1998-03-31: none that day" in text
    assert "set aside" not in text


@both_engines
def test_a_ds_that_is_not_published(night, capsys):
    with pytest.raises(UserError, match="does not exist yet"):
        summary.run(night.settings, night.ds)
    _summary(night, capsys)
    with pytest.raises(
        UserError, match=r"ds 1998-04-01 is not published .* make nightly DS=1998-04-01"
    ):
        summary.run(night.settings, date(1998, 4, 1))


def test_a_text_table_aligns_and_cuts():
    rows = [("one", 1, None), ("x" * 200, 12_345, 0.5)]
    header, one, cut = text_table(("name", "rows", "value"), rows, wide="name").splitlines()
    assert one == "  one".ljust(len(header) - 16) + "       1" + "       -"
    assert cut.endswith("x…  12,345  0.5000")
    assert len(header) == len(one) == len(cut) == 100
