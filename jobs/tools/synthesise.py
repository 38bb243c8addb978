"""Makes up a data set of any size: a source folder that the night reads like any other.

    python -m jobs synthesise --users 10000 --items 5000 --interactions 1000000 --days 60 \\
        --seed 7 --to FOLDER

`jobs/tools/synthetic.py` says what is made up, and how. The folder appears whole or not at
all; the same options give the same files.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.spark.session import spark_session
from jobs.tools import synthetic
from jobs.tools.synthetic import Market
from schemas import utc
from schemas.errors import UserError
from schemas.run.settings import Settings

log = logging.getLogger(__name__)

# Of which Spark makes the interactions, whatever cores it has: so that one's memory is bounded.
_ROWS_OF_A_PARTITION = 500_000

_SPEC = """\
# SYNTHETIC: no user, item or rating in this folder is real. Each is a hash of its number and the
# seed {seed}; `python -m jobs synthesise` made it up, with users by a power law of exponent
# {user_exponent:g} and items by {item_exponent:g}.
name = "synthetic"
title = "SYNTHETIC: {users:,} users, {items:,} items, {interactions:,} interactions, seed {seed}"
feedback = "explicit"
rating_scale = [1, 5]

[interactions]
file = "interactions/{{day}}.parquet"
format = "parquet"
user_id = "user_id"
item_id = "item_id"
rating = "rating"
event_time = "event_time"

[users]
file = "users.parquet"
format = "parquet"
user_id = "user_id"

[users.features]
age = {{ kind = "bucketed", column = "age", buckets = [18, 25, 35, 45, 50, 56] }}
region = {{ kind = "categorical", column = "region" }}

[items]
file = "items.parquet"
format = "parquet"
item_id = "item_id"
title = "title"

[items.features]
genres = {{ kind = "multi", column = "genres" }}

[network.metapaths]
by_user = "users"
by_genre = "genre"

[network.relations.genre]
feature = "genres"
"""


def run(settings: Settings, market: Market, folder: Path) -> None:
    """Write the market's source files and their dataset spec to the new folder."""
    market.check()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            f"{folder} exists and is no empty folder; name a new one, or remove it first."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)  # what a killed run left
    draft.mkdir()
    try:
        _write_files(settings, market, draft)
        (draft / "dataset.toml").write_text(_SPEC.format(**vars(market)))
        draft.replace(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    first = utc.day_of(utc.at(synthetic.FIRST_SECOND))
    log.info("synthesise: %s holds %d days from %s on", folder, market.days, first)


def _write_files(settings: Settings, market: Market, folder: Path) -> None:
    with spark_session(settings) as spark:
        n_partitions = 2 + market.interactions // _ROWS_OF_A_PARTITION

        def numbers(n: int) -> DataFrame:
            # Dealt out: the first numbers are the most active users, and would be one task's.
            return spark.range(n).repartition(n_partitions, "id")

        users = synthetic.users(numbers(market.users), market)
        items = synthetic.items(numbers(market.items), market)
        _write(users.orderBy("user_id"), folder / "users.parquet")
        _write(items.orderBy("item_id"), folder / "items.parquet")
        _write_days(synthetic.interactions(numbers(market.users), market), folder / "interactions")


def _write(frame: DataFrame, file: Path) -> None:
    """Write the frame to one file, in its order."""
    parts = file.with_suffix(".parts")
    frame.write.parquet(str(parts))
    ordered = sorted(parts.glob("*.parquet"))
    with pq.ParquetWriter(file, pq.read_schema(ordered[0])) as writer:
        for part in ordered:
            for batch in pq.ParquetFile(part).iter_batches():
                writer.write_batch(batch)
    shutil.rmtree(parts)
    log.info("synthesise: %s %s", f"{pq.read_metadata(file).num_rows:,}", file.stem)


def _write_days(interactions: DataFrame, folder: Path) -> None:
    """Write a file for each day, in the order of time."""
    days = folder.with_suffix(".parts")
    by_day = interactions.withColumn("day", F.to_date(F.timestamp_seconds("event_time")))
    ordered = by_day.repartition("day").sortWithinPartitions(
        "day", "event_time", "user_id", "item_id"
    )
    ordered.write.partitionBy("day").parquet(str(days))
    folder.mkdir()
    rows = 0
    for day in sorted(days.glob("day=*")):
        [file] = day.glob("*.parquet")  # a day is in one partition
        made = file.rename(folder / f"{day.name.removeprefix('day=')}.parquet")
        rows += pq.read_metadata(made).num_rows
    shutil.rmtree(days)
    log.info("synthesise: %s interactions", f"{rows:,}")
