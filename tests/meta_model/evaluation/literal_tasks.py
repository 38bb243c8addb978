"""Tasks that a test writes down."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from meta_model.data.batching import from_episodes
from meta_model.data.tasks import Tasks

Ratings = list[tuple[int, float]]  # of items, by index


def literal_tasks(
    *supports_and_queries: tuple[Ratings, Ratings],
    days: Sequence[tuple[list[int], list[int]]] | None = None,
) -> Tasks:
    """A batch of a task for each pair of a support and a query, users from 1.

    days: of the interactions of each pair; None: no time is known
    """
    rows = [
        {
            "user_index": number,
            "split": "test",
            "support_items": [item for item, _ in support],
            "support_ratings": [rating for _, rating in support],
            "query_items": [item for item, _ in query],
            "query_ratings": [rating for _, rating in query],
        }
        for number, (support, query) in enumerate(supports_and_queries, start=1)
    ]
    lists = {"items": pa.list_(pa.int32()), "ratings": pa.list_(pa.float32())}
    if days is not None:
        lists["days"] = pa.list_(pa.int32())
        for row, (of_support, of_query) in zip(rows, days, strict=True):
            row |= {"support_days": of_support, "query_days": of_query}
    fields = [(f"{side}_{name}", lists[name]) for side in ("support", "query") for name in lists]
    schema = pa.schema([("user_index", pa.int32()), ("split", pa.string()), *fields])
    return from_episodes(pa.Table.from_pylist(rows, schema=schema))
