"""Makes a synthetic source lopsided: a user with a million events, an item with a tenth of all.

Shuffles bring a user's rows, or an item's, to one task: these two would be what others wait for.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

_MOST_OF_USER = 1_000_000
_SHARE_OF_ITEM = 0.1

# Of the user u1, and with the item i1: at times of their own, so that no event repeats another.
_EVENTS = """
SELECT 'u1' AS user_id, 'i' || (1 + (n * 7919 + $day) % $items) AS item_id,
    (1 + n % 5)::INTEGER AS rating, ($midnight + n * 86400 // $of_user)::BIGINT AS event_time
FROM range($of_user) t(n)
UNION ALL
SELECT 'u' || (2 + (n + $day * 10007) % ($users - 1)), 'i1', (1 + n % 5)::INTEGER,
    ($midnight + n * 86400 // $of_item)::BIGINT
FROM range($of_item) t(n)
"""


def add(source: Path, *, users: int, items: int, interactions: int) -> int:
    """Put a second file beside each day's, in a folder of the day; how many events they have."""
    days = sorted((source / "interactions").iterdir())
    numbers = {
        "users": users,
        "items": items,
        "of_user": min(_MOST_OF_USER, interactions // 10) // len(days),
        "of_item": int(interactions * _SHARE_OF_ITEM) // len(days),
    }
    with duckdb.connect() as connection:
        for number, file in enumerate(days):
            midnight = datetime.combine(date.fromisoformat(file.stem), datetime.min.time(), UTC)
            plain = file.rename(file.with_suffix(".plain"))
            file.mkdir()
            plain.rename(file / "plain.parquet")
            variables = {**numbers, "day": number, "midnight": int(midnight.timestamp())}
            events = connection.sql(_EVENTS, params=variables)
            events.write_parquet(str(file / "lopsided.parquet"))
    return len(days) * (numbers["of_user"] + numbers["of_item"])
