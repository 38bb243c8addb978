"""What a hand-written DuckDB query makes of a lake: the yardstick of benchmarks/features.py.

The query (features_reference.sql) reads the Parquet files of the lake's interactions, and writes
user profiles, item profiles and episodes as Parquet, sorted as the night's. It leaves out what the
night does besides: features and their vocabulary, titles, checks and sealed versions.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.yardsticks.spark_hash import xxhash64
from schemas.dataset.holdout import holdout
from schemas.dataset.spec import DatasetSpec
from schemas.lake import Lake

QUERY = Path(__file__).with_name("features_reference.sql")

# What is written of each table of the query, in the order of the lake's key.
OUTPUTS = {
    "user_profiles": "SELECT * EXCLUDE is_validation FROM users ORDER BY user_id",
    "item_profiles": "FROM items ORDER BY item_id",
    "episodes": "FROM episodes ORDER BY split, task_id",
}
VALIDATION_PER_CENT = 10
_OF_COLD_START = (
    "cold_user_max_interactions", "min_support", "max_support", "min_query", "query_size",
    "max_episodes_per_user",
)  # fmt: skip


def run(lake: Lake, spec: DatasetSpec, ds: date, into: Path) -> float:
    """Write the three tables to `into`, one file each; the seconds that the query took.

    Which users validate is a hash of Spark's that DuckDB lacks: it is worked out before the clock
    starts, and given to the query as a table.
    """
    manifests = lake.days("interactions", until=ds)
    days = [day for day, manifest in manifests.items() if manifest.rows]
    files = [
        str(file) for day in days for file in lake.version("interactions", day).glob("*.parquet")
    ]
    held_out = holdout(days[0], days[-1], spec.cold_start)
    variables = {
        "interactions": files,
        "new_users_from": held_out.new_users_from,
        "new_items_from": held_out.new_items_from,
        "width": spec.cold_start.max_support + spec.cold_start.query_size,
        **{name: getattr(spec.cold_start, name) for name in _OF_COLD_START},
    }
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, value in variables.items():
            connection.execute(f"SET VARIABLE {name} = $1", [value])
        users = connection.execute(
            "SELECT DISTINCT user_id FROM read_parquet(getvariable('interactions'))"
        ).fetchall()
        connection.execute(
            "CREATE TEMP TABLE validation_users AS SELECT unnest($1::VARCHAR[]) AS user_id",
            [validation_users(user for (user,) in users)],
        )
        started = time.perf_counter()
        connection.execute(QUERY.read_text())
        for name, rows in OUTPUTS.items():
            connection.execute(f"COPY ({rows}) TO '{into / name}.parquet' (FORMAT parquet)")
        return time.perf_counter() - started


def validation_users(user_ids: Iterable[str]) -> list[str]:
    """The users that the night's hash makes validation users."""
    hashes = ((user, xxhash64(b"validation", xxhash64(user.encode()))) for user in user_ids)
    return [user for user, value in hashes if value % 100 < VALIDATION_PER_CENT]
