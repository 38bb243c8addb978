"""Attributes of users and items, case by case."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.transforms.entities import values
from schemas.dataset.spec import Feature

CASES = [
    (Feature(kind="categorical", column="c"), " M ", ["M"]),
    (Feature(kind="categorical", column="c"), None, []),
    (Feature(kind="categorical", column="c"), "", []),
    (Feature(kind="categorical", column="c", pattern=r"^(\d)"), "94043", ["9"]),
    (Feature(kind="categorical", column="c", pattern=r"^(\d)"), "V3N4P", []),
    (Feature(kind="multi", column="c", separator="|"), "Drama|War|Drama", ["Drama", "War"]),
    (Feature(kind="multi", column="c", separator="|"), None, []),
    (Feature(kind="bucketed", column="c", buckets=(18, 25)), "17", ["<18"]),
    (Feature(kind="bucketed", column="c", buckets=(18, 25)), "18", ["18-25"]),
    (Feature(kind="bucketed", column="c", buckets=(18, 25)), "25", ["25+"]),
    (Feature(kind="bucketed", column="c", buckets=(18, 25)), "old", []),
    (Feature(kind="bucketed", column="c", buckets=(18, 25)), "NaN", []),
    (Feature(kind="bucketed", column="c", buckets=(18, 25), minimum=5, maximum=90), "4.9", []),
    (Feature(kind="bucketed", column="c", buckets=(18, 25), minimum=5), "5", ["<18"]),
    (Feature(kind="bucketed", column="c", buckets=(18, 25), minimum=5, maximum=90), "90", ["25+"]),
    (Feature(kind="bucketed", column="c", buckets=(18, 25), maximum=90), "91", []),
    (Feature(kind="bucketed", column="c", buckets=(18, 25), maximum=90), "-3", ["<18"]),
    (
        Feature(kind="bucketed", column="c", buckets=(1990, 1995), pattern=r"(\d{4})$"),
        "01-Jan-1994",
        ["1990-1995"],
    ),
]


def test_feature_values(spark: SparkSession) -> None:
    columns = [f"c{i}" for i in range(len(CASES))]
    schema = ", ".join(f"{column} string" for column in columns)
    frame = spark.createDataFrame([tuple(text for _, text, _ in CASES)], schema)
    of_columns = [
        values(feature.model_copy(update={"column": column})).alias(column)
        for column, (feature, _, _) in zip(columns, CASES, strict=True)
    ]
    assert list(frame.select(*of_columns).first()) == [expected for _, _, expected in CASES]


def test_flag_columns_become_their_names(spark: SparkSession) -> None:
    frame = spark.createDataFrame(
        [("1", "0", "1")], "Action string, `Film-Noir` string, War string"
    )
    feature = Feature(kind="multi", flags=("Action", "Film-Noir", "War"))
    assert frame.select(F.array_sort(values(feature)).alias("v")).first().v == ["Action", "War"]
