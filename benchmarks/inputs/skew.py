"""Makes a synthetic source lopsided: a user with a million events, an item with a tenth of all.

Shuffles bring a user's rows, or an item's, to one task: these two would be what others wait for.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas import utc

_MOST_OF_USER = 1_000_000
_SHARE_OF_ITEM = 0.1
_DAY_SECONDS = 86_400


def add(source: Path, *, users: int, items: int, interactions: int) -> int:
    """Put a second file beside each day's, in a folder of the day; how many events they have."""
    days = sorted((source / "interactions").iterdir())
    of_user = min(_MOST_OF_USER, interactions // 10) // len(days)
    of_item = int(interactions * _SHARE_OF_ITEM) // len(days)
    for number, file in enumerate(days):
        plain = file.rename(file.with_suffix(".plain"))
        file.mkdir()
        plain.rename(file / "plain.parquet")
        midnight = utc.start_of(date.fromisoformat(file.stem))
        # The user u1 goes through the items, and the item i1 through the other users.
        by_user = np.arange(of_user), 1 + (np.arange(of_user) * 7919 + number) % items
        by_item = np.arange(of_item), 2 + (np.arange(of_item) + number * 10_007) % (users - 1)
        rows = [
            _events(midnight, by_user[0], np.ones_like(by_user[1]), by_user[1]),
            _events(midnight, by_item[0], by_item[1], np.ones_like(by_item[1])),
        ]
        pq.write_table(pa.concat_tables(rows), file / "lopsided.parquet")
    return len(days) * (of_user + of_item)


def _events(
    midnight: datetime, place: np.ndarray, users: np.ndarray, items: np.ndarray
) -> pa.Table:
    """At times of their own, so that no event repeats another."""
    seconds = int(midnight.timestamp()) + place * _DAY_SECONDS // max(len(place), 1)
    columns = {
        "user_id": np.char.add("u", users.astype(str)),
        "item_id": np.char.add("i", items.astype(str)),
        "rating": (1 + place % 5).astype(np.int32),
        "event_time": seconds.astype(np.int64),
    }
    return pa.table({name: pa.array(values) for name, values in columns.items()})
