"""The Parquet tables that training reads, for one ds, made from a seed: no Spark."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.dataset import choice as dataset_choice
from schemas.dataset import spec as dataset_spec
from schemas.lake import Lake
from schemas.projections.arrow import arrow_schema
from schemas.tables import lake as tables
from schemas.tables.columns import Table

DS = date(1998, 3, 31)
N_USERS, N_ITEMS = 300, 80
SPEC_FILE = dataset_spec.BUNDLED / "ml-100k.toml"
SEEN = datetime(1998, 1, 1, tzinfo=UTC)


def write(home: Path, row_group_rows: int, ds: date = DS, *, n_tests: int = 0) -> None:
    """A lake in `home`, its episodes in row groups of so many rows.

    The last `n_tests` users are new ones, to test on and to serve.
    """
    lake = Lake(root=home / "lake")
    spec = dataset_choice.bind(lake.root, SPEC_FILE)
    draws = np.random.default_rng(5)
    vocabulary = [
        {"feature": f"{entity}.{name}", "value": str(value), "index": value}
        for entity, features in (("user", spec.users.features), ("item", spec.items.features))
        for name in features
        for value in range(1, 5)
    ]
    _replace(lake, ds, tables.VOCABULARY, vocabulary)
    users = [_user(spec, number, draws) for number in range(1, N_USERS + 1)]
    _replace(lake, ds, tables.user_profiles(spec), users)
    items = [_item(spec, number, draws) for number in range(1, N_ITEMS + 1)]
    _replace(lake, ds, tables.item_profiles(spec), items)
    episodes = [_episode(number, draws) for number in range(1, N_USERS + 1)]
    for task in episodes[N_USERS - n_tests :]:
        task |= {"scenario": "user_cold", "split": "test"}
        serve = {"split": "serve", "query_items": [], "query_ratings": [], "query_days": []}
        episodes.append({**task, **serve, "task_id": f"{task['task_id']}/serve"})
    _replace(lake, ds, tables.episodes(spec), episodes, row_group_rows)
    assert spec.network is not None
    neighbours = [
        _neighbours(metapath, item, draws)
        for item in range(1, N_ITEMS + 1)
        for metapath in spec.network.metapaths
    ]
    _replace(lake, ds, tables.metapath_neighbours(spec), neighbours)


def _replace(
    lake: Lake,
    ds: date,
    table: Table,
    rows: list[dict[str, object]],
    row_group_rows: int | None = None,
) -> None:
    with lake.replacing(table.name, ds) as draft:
        made = pa.Table.from_pylist(rows, schema=arrow_schema(table))
        pq.write_table(made, draft.path / "part-0.parquet", row_group_size=row_group_rows)
        draft.rows = len(rows)


def _user(
    spec: dataset_spec.DatasetSpec, number: int, draws: np.random.Generator
) -> dict[str, object]:
    return {
        "user_id": f"u{number}",
        "user_index": number,
        "n_interactions": 12,
        "first_seen": SEEN,
        "last_seen": SEEN,
        "is_new": number % 2 == 0,
        "is_cold": False,
        **_features(spec.users.features, draws),
    }


def _item(
    spec: dataset_spec.DatasetSpec, number: int, draws: np.random.Generator
) -> dict[str, object]:
    n = int(draws.integers(1, 30))
    return {
        "item_id": f"i{number}",
        "item_index": number,
        "title": f"Film {number}",
        "n_interactions": n,
        "first_seen": SEEN,
        "rating_mean": 3.0,
        "is_new": False,
        "train_n_ratings": n,
        "train_rating_sum": float(draws.integers(n, 5 * n + 1)),
        "recent_interactions": n / 2,
        "train_recent": n / 4,
        **_features(spec.items.features, draws),
    }


def _features(
    features: dict[str, dataset_spec.Feature], draws: np.random.Generator
) -> dict[str, object]:
    """A value of each feature, and two of a multi-valued one."""
    return {
        name: sorted(draws.choice(4, 2, replace=False) + 1)
        if feature.kind == "multi"
        else int(draws.integers(1, 5))
        for name, feature in features.items()
    }


def _episode(user: int, draws: np.random.Generator) -> dict[str, object]:
    split = "validation" if user % 10 == 0 else "train"
    items = draws.permutation(np.arange(1, N_ITEMS + 1))[: draws.integers(8, 30)]
    ratings = draws.integers(1, 6, len(items)).astype(float)
    return {
        "task_id": f"u{user}/warm/{split}",
        "user_index": user,
        "scenario": "warm",
        "split": split,
        "earlier_that_day": 0,
        "support_items": items[5:],
        "support_ratings": ratings[5:],
        "support_days": [10_000] * len(items[5:]),
        "query_items": items[:5],
        "query_ratings": ratings[:5],
        "query_days": [10_001] * 5,
    }


def _neighbours(metapath: str, item: int, draws: np.random.Generator) -> dict[str, object]:
    """Up to nine other items."""
    others = np.delete(np.arange(1, N_ITEMS + 1), item - 1)
    reached = np.sort(draws.permutation(others)[: draws.integers(0, 10)])
    return {"item_index": item, "metapath": metapath, "neighbours": reached}
