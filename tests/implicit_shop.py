"""A shop that knows who picked what: Parquet files of numbers, no ratings, no users, no titles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.run.settings import Settings

SPEC = """\
name = "picks"
title = "A shop of picks"
feedback = "implicit"

[interactions]
file = "picks.parquet"
format = "parquet"
user_id = "who"
item_id = "what"
event_time = "when"

[items]
file = "things.parquet"
format = "parquet"
item_id = "what"

[items.features]
tags = { kind = "multi", column = "tags" }

[cold_start]
new_user_days = 6
new_item_days = 10
cold_user_max_interactions = 4
min_support = 2
min_query = 1
query_size = 1

[negatives]
support_per_positive = 1
train_query_per_positive = 2
test_query = 3
"""
N_ITEMS = 30


@dataclass(frozen=True, kw_only=True)
class Picks:
    """The shop's folder; days are days of March 1998."""

    folder: Path

    def write(self, picks: Iterable[tuple[int, int, int]]) -> None:
        """The interactions: user, item, day. `place` is each one's place in the file."""
        users, items, days = zip(*picks, strict=True)
        at = [int(datetime(1998, 3, day, 12, tzinfo=UTC).timestamp()) for day in days]
        places = pa.array(range(len(at)), pa.int32())
        table = pa.table({"who": users, "what": items, "when": at, "place": places})
        pq.write_table(table, self.folder / "picks.parquet")


@pytest.fixture
def picks(tmp_path: Path) -> Picks:
    folder = tmp_path / "picks"
    folder.mkdir()
    (folder / "dataset.toml").write_text(SPEC)
    tags = pa.array([[item % 4, 7, 7] for item in range(N_ITEMS)], pa.list_(pa.int32()))
    pq.write_table(pa.table({"what": range(N_ITEMS), "tags": tags}), folder / "things.parquet")
    return Picks(folder=folder)


@pytest.fixture
def shop(settings: Settings, picks: Picks) -> Settings:
    """Settings whose source is the shop."""
    return replace(settings, source=picks.folder, home=settings.home / "home")
