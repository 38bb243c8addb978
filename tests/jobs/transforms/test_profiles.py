"""Profiles on small literal frames."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession

from jobs.transforms import profiles as T
from schemas.dataset import spec as dataset_spec
from schemas.tables import lake as tables

SPEC = dataset_spec.load(dataset_spec.BUNDLED / "ml-100k.toml")


def test_an_index_is_dense_and_independent_of_order(spark: SparkSession) -> None:
    start = datetime(1998, 3, 1, tzinfo=UTC)
    ids = [(f"id{i}", start + timedelta(hours=i * 7 % 100)) for i in range(500)]
    schema = "k string, first_seen timestamp"
    first, second, fewer = (
        {
            row.k: row.n
            for row in T.by_arrival(spark.createDataFrame(rows, schema), "k", "n").collect()
        }
        for rows in (ids, ids[::-1], [(k, at) for k, at in ids if at < start + timedelta(days=2)])
    )
    assert sorted(first, key=lambda k: first[k]) == [k for _, k in sorted((at, k) for k, at in ids)]
    assert sorted(first.values()) == list(range(1, 501))
    assert first == second
    # Later days add to the end.
    assert 0 < len(fewer) < 500
    assert fewer.items() <= first.items()


def test_vocabulary_numbers_values_within_their_feature(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [(["1990"], ["War", "Drama"]), (["1980"], ["Drama"]), ([], [])],
        "release_year array<string>, genres array<string>",
    )
    rows = T.vocabulary(frame, "item", SPEC.items.features).orderBy("feature", "index").collect()
    assert [tuple(row) for row in rows] == [
        ("item.genres", "Drama", 1),
        ("item.genres", "War", 2),
        ("item.release_year", "1980", 1),
        ("item.release_year", "1990", 2),
    ]


def test_unknown_values_become_index_0(spark: SparkSession) -> None:
    table = tables.items(SPEC)
    frame = spark.createDataFrame(
        [("a", "A", ["1990"], ["War", "Drama", "never seen"]), ("b", "B", ["never seen"], [])],
        "item_id string, title string, release_year array<string>, genres array<string>",
    )
    vocabulary = spark.createDataFrame(
        [("item.genres", "Drama", 1), ("item.genres", "War", 2), ("item.release_year", "1990", 1)],
        "feature string, value string, index int",
    )
    profile = tables.Table(
        name="p",
        description="-",
        key=("item_id",),
        columns=(
            table.column("item_id"),
            *(tables.item_profiles(SPEC).column(name) for name in ("release_year", "genres")),
        ),
    )
    rows = T.with_feature_indices(frame, vocabulary, "item", SPEC.items.features, profile)
    assert [tuple(row) for row in rows.orderBy("item_id").collect()] == [
        ("a", 1, [0, 1, 2]),
        ("b", 0, []),
    ]
