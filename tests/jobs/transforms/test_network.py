"""Neighbours over a small drawn network, worked out by hand.

users:  ann rated A, B;  ben rated B, C;  only training ratings of existing items count
makers: m has A, C, N;   k has B          N is a new item, D has no link at all
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.transforms import network as T
from jobs.transforms.splits import is_validation_user
from schemas.dataset import spec as dataset_spec
from schemas.dataset.holdout import Holdout
from schemas.dataset.network import FeatureRelation, FileRelation, Network
from schemas.tables import lake as tables

HELD_OUT = Holdout(
    new_users_from=datetime(1998, 3, 10, tzinfo=UTC),
    new_items_from=datetime(1998, 3, 5, tzinfo=UTC),
)
TABLE = tables.metapath_neighbours(dataset_spec.load(dataset_spec.BUNDLED / "ml-100k.toml"))
NETWORK = Network(
    metapaths={"U": "users", "M": "maker", "T": "tag"},
    relations={
        "maker": FileRelation(file="-", item="-", node="-"),
        "tag": FeatureRelation(feature="tags"),
    },
)
A, B, C, D, N = range(1, 6)
NAMES = dict(zip("ABCDN", range(1, 6), strict=True))


def _profiles(spark: SparkSession) -> DataFrame:
    rows = [(name, index, name == "N") for name, index in NAMES.items()]
    return spark.createDataFrame(rows, "item_id string, item_index int, is_new boolean")


def _edges(spark: SparkSession) -> DataFrame:
    rated = [("A", "ann"), ("B", "ann"), ("B", "ben"), ("C", "ben"), ("N", "ann"), ("B", "ben")]
    linked = [("A", "maker", "m"), ("C", "maker", "m"), ("N", "maker", "m"), ("B", "maker", "k")]
    linked += [("B", "other", "m"), ("unseen", "maker", "m")]
    tags = [("A", ["x", "y"]), ("B", ["x", "y"]), ("C", []), ("D", ["y"]), ("N", ["x"])]
    return T.edges(
        NETWORK,
        spark.createDataFrame(rated, "item_id string, node string"),
        spark.createDataFrame(tags, "item_id string, tags array<string>"),
        spark.createDataFrame(linked, "item_id string, relation string, node string"),
        _profiles(spark),
    )


def _found(frame: DataFrame) -> dict[tuple[str, int], list[int]]:
    return {(row.metapath, row.item_index): row.neighbours for row in frame.collect()}


def test_neighbours_by_hand(spark: SparkSession) -> None:
    found = T.neighbours(_edges(spark), _profiles(spark), NETWORK, TABLE)
    assert found.columns == list(TABLE.column_names)
    assert _found(found) == {
        **{("U", A): [B], ("U", B): [A, C], ("U", C): [B], ("U", D): [], ("U", N): []},
        **{("M", A): [C], ("M", B): [], ("M", C): [A], ("M", D): [], ("M", N): [A, C]},
        **{("T", A): [B, D], ("T", B): [A, D], ("T", C): [], ("T", D): [A, B], ("T", N): [A, B]},
    }


def test_training_links_hold_nothing_held_out(spark: SparkSession) -> None:
    ids = spark.range(50).select(F.concat(F.lit("u"), "id").alias("user_id"))
    by_split = ids.withColumn("v", is_validation_user()).orderBy("user_id").collect()
    seen = next(row.user_id for row in by_split if not row.v)
    validation = next(row.user_id for row in by_split if row.v)
    early, late = datetime(1998, 3, 9, tzinfo=UTC), HELD_OUT.new_users_from
    rows = [
        (seen, "A", early),
        (seen, "B", late),  # held-out days
        (validation, "C", early),
        ("new", "D", late),
    ]
    interactions = spark.createDataFrame(
        rows, "user_id string, item_id string, event_time timestamp"
    )
    links = T.training_links(interactions, HELD_OUT)
    assert [tuple(row) for row in links.collect()] == [("A", seen)]


@pytest.fixture(scope="module")
def crowd(spark: SparkSession) -> tuple[DataFrame, DataFrame]:
    """Edges and profiles of 300 items: one user rated all, each of 200 users rated two."""
    n = spark.range(1, 301).select(F.col("id").cast("int").alias("item_index"))
    profiles = n.withColumn("is_new", F.lit(False))
    pairs = n.where("item_index <= 200").select(
        F.explode(F.array("item_index", F.col("item_index") + 100)).alias("item_index"),
        F.concat(F.lit("u"), "item_index").alias("node"),
    )
    rated = n.withColumn("node", F.lit("everyone")).unionByName(pairs)
    edges = rated.select(
        F.lit("U").alias("metapath"), "item_index", F.lit(False).alias("is_new"), "node"
    )
    return edges, profiles


def _of_crowd(
    crowd: tuple[DataFrame, DataFrame], seed: int = 1
) -> dict[tuple[str, int], list[int]]:
    network = Network(metapaths={"U": "users"}, cap=5, seed=seed)
    return _found(T.neighbours(*crowd, network, TABLE))


def test_of_many_a_sample_of_cap_others_ascending(crowd: tuple[DataFrame, DataFrame]) -> None:
    found = _of_crowd(crowd)
    assert len(found) == 300
    for (_, item), neighbours in found.items():
        assert len(neighbours) == 5
        assert neighbours == sorted(set(neighbours) - {item})
    assert len({n for neighbours in found.values() for n in neighbours}) > 250, "not the same few"


def test_the_sample_depends_on_links_and_seed_alone(crowd: tuple[DataFrame, DataFrame]) -> None:
    edges, profiles = crowd
    found = _of_crowd(crowd)
    mixed = edges.repartition(7, F.rand(3)), profiles.repartition(3)
    assert _of_crowd(mixed) == found
    assert _of_crowd(crowd, seed=2) != found


def test_no_pairs_are_formed(crowd: tuple[DataFrame, DataFrame]) -> None:
    edges, _ = crowd
    asks = T._asks(T._placed(edges, F.lit(1)), cap=5)
    most = asks.groupBy("item_index").count().agg(F.max("count")).first()
    assert most is not None
    assert most[0] <= T._ASKED * 5
