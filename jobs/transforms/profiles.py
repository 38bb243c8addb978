"""User and item profiles: what is known of each at `ds`, attributes as vocabulary indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from schemas.dataset.spec import Feature
from schemas.tables.columns import Table, Type
from schemas.tables.lake import VOCABULARY


def dense_index(frame: DataFrame, index: str, *, bucket: Column, order: Sequence[str]) -> DataFrame:
    """`frame` with a dense index 1..n: by bucket, and by `order`, which is unique, within it.

    Each bucket is numbered by itself, and starts where the one before ends, so that no single
    window has to hold every row.
    """
    bucketed = frame.withColumn("_bucket", bucket)
    sizes = bucketed.groupBy("_bucket").agg(F.count("*").alias("_size"))
    earlier = sizes.select(F.col("_bucket").alias("_earlier"), "_size")
    starts = (
        sizes.select("_bucket")
        .join(F.broadcast(earlier), on=F.col("_earlier") < F.col("_bucket"), how="left")
        .groupBy("_bucket")
        .agg(F.coalesce(F.sum("_size"), F.lit(0)).alias("_start"))
    )
    within = F.row_number().over(Window.partitionBy("_bucket").orderBy(*order))
    return (
        bucketed.withColumn("_within", within)
        .join(F.broadcast(starts), on="_bucket", how="inner")
        .withColumn(index, (F.col("_start") + F.col("_within")).cast("int"))
        .drop("_bucket", "_start", "_within")
    )


def by_arrival(frame: DataFrame, key: str, index: str) -> DataFrame:
    """`frame` with an index 1..n by `first_seen`, and by `key` among those of one time.

    A later day adds to its end: who was there before keeps the index. New ones have the last.
    """
    return dense_index(frame, index, bucket=F.to_date("first_seen"), order=("first_seen", key))


def vocabulary(existing: DataFrame, prefix: str, features: Mapping[str, Feature]) -> DataFrame:
    """The values that existing users (or items) have, numbered from 1 within each feature."""
    none = F.array().cast("array<struct<feature: string, value: string>>")
    pairs = [_pairs(f"{prefix}.{name}", F.col(name)) for name in features]
    index = F.row_number().over(Window.partitionBy("feature").orderBy("value"))
    return (
        existing.select(F.inline(F.concat(none, *pairs)))
        .distinct()
        .withColumn("index", index)
        .select(*VOCABULARY.column_names)
    )


def _pairs(feature: str, values: Column) -> Column:
    """(feature, value) of each value in the list."""
    return F.transform(
        values, lambda value: F.struct(F.lit(feature).alias("feature"), value.alias("value"))
    )


def with_feature_indices(
    frame: DataFrame,
    vocabulary: DataFrame,
    prefix: str,
    features: Mapping[str, Feature],
    table: Table,
) -> DataFrame:
    """The profiles of `table`: each feature's list of values replaced by their indices."""
    if not features:
        return frame.select(*table.column_names)
    maps = vocabulary.groupBy().agg(
        *(
            F.map_from_entries(
                F.collect_list(
                    F.when(F.col("feature") == f"{prefix}.{name}", F.struct("value", "index"))
                )
            ).alias(f"_{name}")
            for name in features
        )
    )
    joined = frame.crossJoin(F.broadcast(maps))
    for name in features:
        indices = _indices(values=name, index_of=F.col(f"_{name}"))
        if table.column(name).type is Type.LIST_INT32:
            indexed = F.array_sort(indices)
        else:
            indexed = F.coalesce(F.try_element_at(indices, F.lit(1)), F.lit(0))
        joined = joined.withColumn(name, indexed)
    return joined.select(*table.column_names)


def _indices(values: str, index_of: Column) -> Column:
    """One index a value, 0 where the vocabulary lacks it: that there is one is known, too."""
    return F.transform(values, lambda value: F.coalesce(index_of[value], F.lit(0)))
