"""A small world of users, items and episodes, made from a seed: no Spark, no files."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

from meta_model.config import Config
from meta_model.features import features
from meta_model.inputs import Inputs
from meta_model.learners import Learner, create
from schemas import dataset_spec
from schemas.arrow import arrow_schema
from schemas.tables import episodes

N_USERS, N_ITEMS = 40, 60
SPEC = dataset_spec.load(dataset_spec.BUNDLED / "ml-100k.toml")


def _episode(rng: np.random.Generator, user: int, split: str, n_query: int) -> dict[str, object]:
    n_support = int(rng.integers(1, 12)) if split == "serve" else int(rng.integers(3, 12))
    items = rng.permutation(np.arange(1, N_ITEMS + 1))[: n_support + n_query]
    ratings = rng.integers(1, 6, len(items)).astype(float)
    return {
        "task_id": f"u{user}/{split}",
        "user_index": user,
        "scenario": ("warm", "user_cold", "item_cold", "both_cold")[user % 4],
        "split": split,
        "support_items": items[:n_support].tolist(),
        "support_ratings": ratings[:n_support].tolist(),
        "query_items": items[n_support:].tolist(),
        "query_ratings": ratings[n_support:].tolist(),
    }


@pytest.fixture(scope="session")
def inputs() -> Inputs:
    rng = np.random.default_rng(7)
    rows = [_episode(rng, user, "train", 5) for user in range(1, 25)]
    rows += [_episode(rng, user, "validation", 5) for user in range(25, 29)]
    rows += [_episode(rng, user, "test", 4) for user in range(29, 37)]
    rows += [_episode(rng, user, "serve", 0) for user in range(33, N_USERS + 1)]
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
            "release_year": rng.integers(0, 4, N_ITEMS),
            "genres": pa.array(genres, pa.list_(pa.int32())),
        }
    )
    return Inputs(
        spec=SPEC,
        user_profiles=users,
        item_profiles=items,
        users=features(users, "user_index", ["age", "gender"], {"age": 5, "gender": 3}),
        items=features(
            items, "item_index", ["release_year", "genres"], {"release_year": 4, "genres": 7}
        ),
        episodes=pa.Table.from_pylist(rows, schema=arrow_schema(episodes(SPEC))),
        vocabulary_checksum="0" * 64,
    )


@pytest.fixture
def config() -> Config:
    return Config(embedding_size=8, hidden_sizes=(12, 10), epochs=2, batch_tasks=8)


@pytest.fixture
def learner(inputs: Inputs, config: Config) -> Learner:
    torch.manual_seed(3)
    return create(config, inputs.users, inputs.items, inputs.statistics()).eval()
