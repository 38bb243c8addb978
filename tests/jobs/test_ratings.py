"""What is said of ratings: how many there are of each, and that they are all equal."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from jobs import __main__ as command_line
from jobs.steps import build_episodes
from jobs.tools import ratings
from jobs.transforms.ratings import all_equal
from schemas.run.settings import Settings
from tests.tiny_shop import Source


def test_ratings_that_are_all_equal_are_reported() -> None:
    told = all_equal(3.5, 3.5) or ""
    assert told.startswith("all ratings are 3.5: a model of ratings learns nothing from them")
    assert all_equal(0.0, 0.5) is None
    assert all_equal(None, None) is None, "there are none"


def test_of_many_ratings_ranges_are_shown_that_have_them_all() -> None:
    counts = [(round(-10 + n * 0.1, 1), n) for n in range(201)]
    lines = list(ratings._ranges(counts))
    assert (len(lines), lines[0][0], lines[-1][0]) == (10, "-10 to -8", "8 to 10")
    assert sum(rows for _, rows in lines) == sum(range(201))


def test_the_tasks_say_which_ratings_they_have(spark: SparkSession) -> None:
    rows = [
        ("train", "warm", [4.0, 4.0], [4.0]),
        ("train", "warm", [4.0], [2.5]),
        ("serve", "user_cold", [3.0], []),
    ]
    types = (
        "split string, scenario string, support_ratings array<float>, query_ratings array<float>"
    )
    found = build_episodes._by_scenario(spark.createDataFrame(rows, types))
    assert [(row["split"], row["count"], row["lowest"], row["highest"]) for row in found] == [
        ("serve", 1, 3.0, 3.0),
        ("train", 2, 2.5, 4.0),
    ]


def test_describe_source_reports_equal_ratings(
    tiny: Settings, source: Source, capsys: pytest.CaptureFixture[str]
) -> None:
    source.write_lines("u1,i1,1,1e9", "u2,i1,1,1e9")
    file = source.folder / "interactions.csv"
    file.write_text(
        "\n".join(line for line in file.read_text().split("\n") if ",1," in line or line[:1] == "w")
    )
    assert command_line.main(["describe-source", "--source", str(source.folder)]) == 0
    assert "  1                  3\n  all ratings are 1: " in capsys.readouterr().out
