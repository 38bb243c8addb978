"""A small world of users, items and episodes, made from a seed: no Spark, one Parquet file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from meta_model.config import Config, NetworkConfig, TrainingConfig
from meta_model.data.batching import from_episodes
from meta_model.data.episodes import Episodes
from meta_model.data.features import features
from meta_model.data.inputs import Inputs
from meta_model.data.metapaths import Metapaths
from meta_model.data.tasks import Tasks
from meta_model.learners import Learner, create
from schemas.dataset import spec as dataset_spec
from schemas.projections.arrow import arrow_schema
from schemas.tables.lake import episodes

N_USERS, N_ITEMS = 40, 60
SPEC = dataset_spec.load(dataset_spec.BUNDLED / "ml-100k.toml")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """As the steps run by default: threads that wait for each other are slower than one."""
    torch.set_num_threads(1)


def _episode(rng: np.random.Generator, user: int, split: str, n_query: int) -> dict[str, object]:
    n_support = int(rng.integers(1, 12)) if split == "serve" else int(rng.integers(3, 12))
    items = rng.permutation(np.arange(1, N_ITEMS + 1))[: n_support + n_query]
    ratings = rng.integers(1, 6, len(items)).astype(float)
    return {
        "task_id": f"u{user}/{split}",
        "user_index": user,
        "scenario": ("warm", "user_cold", "item_cold", "both_cold")[user % 4],
        "split": split,
        "earlier_that_day": 0,
        "support_items": items[:n_support].tolist(),
        "support_ratings": ratings[:n_support].tolist(),
        "support_days": [10_000] * n_support,
        "query_items": items[n_support:].tolist(),
        "query_ratings": ratings[n_support:].tolist(),
        "query_days": [10_000] * (len(items) - n_support),
    }


def _episodes(rng: np.random.Generator) -> pa.Table:
    rows = [_episode(rng, user, "train", 5) for user in range(1, 25)]
    rows += [_episode(rng, user, "validation", 5) for user in range(25, 29)]
    rows += [_episode(rng, user, "test", 4) for user in range(29, 37)]
    rows += [_episode(rng, user, "serve", 0) for user in range(33, N_USERS + 1)]
    return pa.Table.from_pylist(rows, schema=arrow_schema(episodes(SPEC)))


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    rng = np.random.default_rng(7)
    file = tmp_path_factory.mktemp("episodes") / "part-0.parquet"
    pq.write_table(_episodes(rng), file, row_group_size=10)
    users = pa.table(
        {
            "user_index": pa.array(range(1, N_USERS + 1), pa.int32()),
            "user_id": [f"u{i}" for i in range(1, N_USERS + 1)],
            "age": rng.integers(0, 5, N_USERS),
            "gender": rng.integers(0, 3, N_USERS),
        }
    )
    counts = rng.integers(0, 9, N_ITEMS)
    genres = [sorted(rng.choice(6, rng.integers(0, 4), replace=False) + 1) for _ in range(N_ITEMS)]
    items = pa.table(
        {
            "item_index": pa.array(range(1, N_ITEMS + 1), pa.int32()),
            "item_id": [f"i{i}" for i in range(1, N_ITEMS + 1)],
            "title": [f"Film {i}" for i in range(1, N_ITEMS + 1)],
            "n_interactions": counts + 1,
            "train_n_ratings": counts,
            "train_rating_sum": counts * rng.uniform(1, 5, N_ITEMS),
            "recent_interactions": counts / 2 + 1,
            "train_recent": counts * (counts % 3) / 4,
            "release_year": rng.integers(0, 4, N_ITEMS),
            "genres": pa.array(genres, pa.list_(pa.int32())),
        }
    )
    return Inputs(
        rating_levels=SPEC.rating_levels,
        user_profiles=users,
        item_profiles=items,
        users=features(users, "user_index", {"age": 5, "gender": 3}),
        items=features(items, "item_index", {"release_year": 4, "genres": 7}),
        episodes=Episodes(files=(file,)),
        vocabulary_checksum="0" * 64,
        metapaths=_metapaths(rng),
    )


@pytest.fixture(scope="session")
def implicit(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """The same world, where a rating of 3 or more is a choice and the others sampled negatives."""
    rows = pa.concat_tables(inputs.episodes.buffers())
    for side in ("support", "query"):
        number = rows.schema.names.index(f"{side}_ratings")
        chosen = [[float(r >= 3) for r in ratings] for ratings in rows[number].to_pylist()]
        if side == "query":  # which holds one of each
            chosen = [[1.0, *ratings[1:-1], 0.0] if ratings else [] for ratings in chosen]
        rows = rows.set_column(number, rows.schema[number], pa.array(chosen, rows[number].type))
    file = tmp_path_factory.mktemp("implicit") / "part-0.parquet"
    pq.write_table(rows, file)
    episodes = Episodes(files=(file,))
    return replace(inputs, episodes=episodes, feedback="implicit", rating_levels=(0.0, 1.0))


def _metapaths(rng: np.random.Generator) -> Metapaths:
    """Two meta-paths, the first of them over users; an item has 0 to 6 neighbours."""
    neighbours = rng.integers(1, N_ITEMS + 1, (2, N_ITEMS + 1, 6))
    neighbours *= np.arange(6) < rng.integers(0, 7, (2, N_ITEMS + 1, 1))
    neighbours[:, 0] = 0
    return Metapaths(
        names=("UMUM", "UMAM"), over_users=(True, False), neighbours=torch.from_numpy(neighbours)
    )


@pytest.fixture(scope="session")
def rows(inputs: Inputs) -> Callable[..., pa.Table]:
    """All episodes of the splits named, as one table in the file's order."""
    return lambda *splits: pa.concat_tables(inputs.episodes.split(*splits).buffers())


@pytest.fixture(scope="session")
def tasks_of(rows: Callable[..., pa.Table]) -> Callable[..., Tasks]:
    """All tasks of the splits named, as one batch."""
    return lambda *splits: from_episodes(rows(*splits))


@pytest.fixture
def config() -> Config:
    """Of the learner that has most parts: a local update by gradient steps, and own thresholds."""
    return Config(
        model="melu",
        network=NetworkConfig(embedding_size=8, hidden_sizes=(12, 10)),
        training=TrainingConfig(epochs=2, batch_tasks=8, query_size=4),
    )


@pytest.fixture
def paper(config: Config) -> Config:
    return config.paper().having({"local_update.rate": 0.05})


@pytest.fixture
def learner(inputs: Inputs, config: Config) -> Learner:
    torch.manual_seed(3)
    return create(config, inputs).eval()


@pytest.fixture
def segmented(inputs: Inputs) -> Inputs:
    """Two features make segments; a gender of 0 is unknown, and makes none."""
    rows = [
        {"feature": f"user.{name}", "value": f"{name} {index}", "index": index}
        for name, size in zip(inputs.users.names, inputs.users.sizes, strict=True)
        for index in range(1, size)
    ]
    vocabulary = pa.Table.from_pylist(rows, schema=inputs.vocabulary.schema)
    return replace(inputs, vocabulary=vocabulary, segments=("gender", "age"))
