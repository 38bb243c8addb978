"""The DuckDB reference makes the night's rows, and a row that is not its own is found."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from benchmarks import features
from benchmarks.inputs import skew
from benchmarks.yardsticks import features_comparison, features_reference
from benchmarks.yardsticks.spark_hash import xxhash64
from jobs.steps import build_episodes as episodes
from jobs.steps import build_profiles as profiles
from jobs.steps import ingest
from jobs.tools import synthesise
from jobs.tools.synthetic import Market
from jobs.transforms.splits import is_validation_user
from schemas.dataset import choice as dataset_choice
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings

MARKET = Market(users=300, items=500, interactions=8_000, days=24, seed=2)
DS = date(2024, 1, 22)  # two days before the last


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, spark_variables: dict[str, str]
) -> dict[str, Path]:
    """The folders of the night's tables, and the reference's, of data with repeats."""
    home = tmp_path_factory.mktemp("features")
    settings = Settings.from_environment({"COLDSTART_HOME": str(home / "home"), **spark_variables})
    synthesise.run(settings, MARKET, home / "source")
    for day in (home / "source" / "interactions").iterdir():
        _repeat_some(day)
    settings = replace(settings, source=home / "source")
    for step in (ingest, profiles, episodes):
        with journal.step(settings.journals, step.__name__, DS) as record:
            step.run(settings, DS, record)
    lake = Lake(root=settings.lake)
    (home / "reference").mkdir()
    spec = dataset_choice.of_lake(lake.root)
    assert features_reference.run(lake, spec, DS, home / "reference") > 0
    night = {table: lake.version(table, DS) for table in features_comparison.COLUMNS}
    return {**night, "reference": home / "reference"}


def _repeat_some(file: Path) -> None:
    """One interaction in ten again, a second later and with another rating."""
    rows = pq.read_table(file)
    again = rows.take(pa.array(range(0, len(rows), 10))).to_pydict()
    again["event_time"] = [at + 1 for at in again["event_time"]]
    again["rating"] = [rating % 5 + 1 for rating in again["rating"]]
    repeats = pa.table(again).cast(rows.schema)
    pq.write_table(pa.concat_tables([rows, repeats]), file)


def test_the_reference_makes_the_same_rows(made: dict[str, Path]) -> None:
    assert list(features_comparison.differences(made, made["reference"])) == []
    kinds = pq.read_table(made["episodes"], columns=["split", "scenario"]).to_pylist()
    assert len({tuple(row.values()) for row in kinds}) == 7  # every kind is among them


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("item_profiles", "* REPLACE (rating_mean + 1e-9 AS rating_mean)", "rating_mean: row 0 is"),
        (
            "episodes",
            "* REPLACE (support_items[:1] AS support_items)",
            r"support_items: row 0 is \[",
        ),
        ("episodes", "* REPLACE (list_reverse(query_items) AS query_items)", "query_items: row"),
        (
            "user_profiles",
            "* REPLACE (user_id || 'x' AS user_id)",
            r"user_id: row 0 is",
        ),
        ("episodes", "DISTINCT ON (user_index) *", r"task_id: [\d,]+ rows where the reference has"),
    ],
)
def test_every_difference_is_found(
    made: dict[str, Path], tmp_path: Path, table: str, change: str, message: str
) -> None:
    for name in features_comparison.COLUMNS:
        what = change if name == table else "*"
        duckdb.sql(f"SELECT {what} FROM '{made['reference'] / name}.parquet'").write_parquet(
            str(tmp_path / f"{name}.parquet")
        )
    found = list(features_comparison.differences(made, tmp_path))
    assert re.search(message, found[0])


def test_the_hash_is_sparks(spark: SparkSession) -> None:
    ids = ["", "u1", "u123", "u1234567", "user-12345678", "ü", "a" * 31]
    frame = spark.createDataFrame([(i,) for i in ids], "user_id string")
    hashes = frame.select("user_id", F.xxhash64("user_id").alias("hash")).collect()
    assert {row.user_id: row.hash for row in hashes} == {i: xxhash64(i.encode()) for i in ids}
    users = spark.range(300).select(F.concat(F.lit("u"), "id").alias("user_id"))
    validating = {row.user_id for row in users.where(is_validation_user()).collect()}
    assert validating == set(features_reference.validation_users(f"u{n}" for n in range(300)))


def test_a_text_too_long_for_the_hash_is_refused() -> None:
    with pytest.raises(ValueError, match=r"has 32 bytes, expected under 32"):
        xxhash64(b"x" * 32)


def test_a_lopsided_source_keeps_its_days(tmp_path: Path) -> None:
    folder = tmp_path / "interactions"
    folder.mkdir()
    for day in ("2024-01-01", "2024-01-02"):
        duckdb.sql(
            "SELECT 'u2' AS user_id, 'i2' AS item_id, 3 AS rating, 0::BIGINT AS event_time"
        ).write_parquet(str(folder / f"{day}.parquet"))
    assert skew.add(tmp_path, users=40, items=30, interactions=200) == 40
    counts = ("count(DISTINCT (user_id, item_id, event_time))", "count_if(user_id = 'u1')")
    counts += ("count_if(item_id = 'i1')", "min(rating)", "max(rating)")
    day = "strftime(to_timestamp(event_time) AT TIME ZONE 'UTC', '%Y-%m-%d')"
    [found] = duckdb.sql(
        f"SELECT {', '.join(counts)}, count_if(contains(filename, {day})) "
        f"FROM read_parquet('{folder}/*/lopsided.parquet', filename = true)"
    ).fetchall()
    assert found == (40, 20, 22, 1, 5, 40)


def test_sizes_may_be_written_short() -> None:
    assert features.sizes("1e6,20000") == [1_000_000, 20_000]
