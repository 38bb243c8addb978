"""User and item profiles: what is known of each at `ds`, attributes as vocabulary indices."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from schemas.columns import Table, Type
from schemas.dataset_spec import Feature
from schemas.holdout import Holdout
from schemas.tables import VOCABULARY

_INDEX_BUCKETS = 64
_VALIDATION_PER_CENT = 10


def is_validation_user() -> Column:
    """One existing user in ten, by a hash of the id: the same user on every night."""
    return F.pmod(F.xxhash64("user_id", F.lit("validation")), F.lit(100)) < _VALIDATION_PER_CENT


def is_training(holdout: Holdout) -> Column:
    """Whether training may see an interaction, of columns user_id, user_is_new and event_time.

    It may see those of existing users outside the validation split, before the held-out days.
    """
    return (
        ~F.col("user_is_new")
        & ~is_validation_user()
        & (F.col("event_time") < F.lit(holdout.new_users_from))
    )


def dense_index(frame: DataFrame, key: str, index: str) -> DataFrame:
    """`frame` with a dense index 1..n of its unique `key`, the same for the same keys.

    Keys are numbered inside buckets of their hash, and each bucket starts where the one before
    ends, so that no single window has to hold every key.
    """
    bucket = F.pmod(F.xxhash64(key), F.lit(_INDEX_BUCKETS))
    bucketed = frame.withColumn("_bucket", bucket)
    sizes = bucketed.groupBy("_bucket").agg(F.count("*").alias("_size"))
    earlier = sizes.select(F.col("_bucket").alias("_earlier"), "_size")
    starts = (
        sizes.select("_bucket")
        .join(F.broadcast(earlier), on=F.col("_earlier") < F.col("_bucket"), how="left")
        .groupBy("_bucket")
        .agg(F.coalesce(F.sum("_size"), F.lit(0)).alias("_start"))
    )
    within = F.row_number().over(Window.partitionBy("_bucket").orderBy(key))
    return (
        bucketed.withColumn("_within", within)
        .join(F.broadcast(starts), on="_bucket", how="inner")
        .withColumn(index, (F.col("_start") + F.col("_within")).cast("int"))
        .drop("_bucket", "_start", "_within")
    )


def user_activity(interactions: DataFrame, holdout: Holdout, cold_max: int) -> DataFrame:
    """One row a user: `user_id`, n_interactions, first_seen, last_seen, is_new, is_cold."""
    return (
        interactions.groupBy("user_id")
        .agg(
            F.count("*").alias("n_interactions"),
            F.min("event_time").alias("first_seen"),
            F.max("event_time").alias("last_seen"),
        )
        .withColumn("is_new", F.col("first_seen") >= F.lit(holdout.new_users_from))
        .withColumn("is_cold", F.col("n_interactions") <= cold_max)
    )


def item_activity(interactions: DataFrame, users: DataFrame, holdout: Holdout) -> DataFrame:
    """One row an item: counts up to ds, and the rating statistics that training may see.

    The latter come from what `is_training`, and are empty for new items: no query rating of a
    held-out task is among them.
    """
    is_seen = is_training(holdout)
    is_new = F.col("first_seen") >= F.lit(holdout.new_items_from)
    # Summed as decimals, because a sum of doubles depends on the order in which they meet.
    exact = F.col("rating").cast("decimal(18, 6)")
    return (
        interactions.join(
            users.select("user_id", F.col("is_new").alias("user_is_new")), on="user_id", how="inner"
        )
        .groupBy("item_id")
        .agg(
            F.count("*").alias("n_interactions"),
            F.min("event_time").alias("first_seen"),
            (F.sum(exact).cast("double") / F.count("*")).alias("rating_mean"),
            F.count(F.when(is_seen, 1)).alias("seen_n_ratings"),
            F.sum(F.when(is_seen, exact)).cast("double").alias("seen_rating_sum"),
        )
        .withColumn("is_new", is_new)
        .withColumn(
            "train_n_ratings", F.when(F.col("is_new"), F.lit(0)).otherwise(F.col("seen_n_ratings"))
        )
        .withColumn(
            "train_rating_sum",
            F.when(F.col("train_n_ratings") == 0, F.lit(0.0)).otherwise(F.col("seen_rating_sum")),
        )
    )


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
