"""Made-up products of any size, as a night leaves them in the lake, written batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas import utc
from schemas.arrow import arrow_schema
from schemas.columns import Table
from schemas.products import COLD_USER_SCORES, EVIDENCE_ITEMS, MODEL_METRICS

DS = date(2024, 4, 9)
TOP_K = 20  # scores a user
LIST = 100  # evidence items
ITEMS = 20_000
_BATCH_USERS = 25_000
_METRICS = ("mae", "rmse", "ndcg5", "adaptation_gain")


def write(folder: Path, scores: int, run: str) -> dict[Table, Path]:
    """The three products of one run, the partition of each; `scores` rows of cold_user_scores."""
    provenance = {"model": "melu", "model_version": "0123456789ab", "run_id": run}
    partitions = {}
    for product, batches in (
        (EVIDENCE_ITEMS, iter([_evidence(provenance)])),
        (COLD_USER_SCORES, _scores(scores // TOP_K, provenance)),
        (MODEL_METRICS, iter([_metrics(provenance)])),
    ):
        partitions[product] = folder / product.name
        partitions[product].mkdir(parents=True)
        schema = arrow_schema(product)
        with pq.ParquetWriter(partitions[product] / "part-0.parquet", schema) as writer:
            for batch in batches:
                writer.write_table(batch.select(schema.names).cast(schema))
    return partitions


def user_id(number: int) -> str:
    return f"{number:010}"


def publication(scores: int, run: str) -> dict[str, Any]:
    """The row of `publications`, without the number of the publication."""
    now = utc.now()
    return {
        **{"dataset": "made-up", "model": "melu", "model_version": "0123456789ab", "run_id": run},
        **{"evidence_items_rows": LIST, "cold_user_scores_rows": scores, "model_metrics_rows": 4},
        **{"interactions": 1, "late_interactions": 0, "revision": 1, "gate": "not asked"},
        **{"data_read_at": now, "made_at": now, "published_at": now},
    }


def _scores(users: int, provenance: Mapping[str, str]) -> Iterator[pa.Table]:
    random = np.random.default_rng(1)
    for first in range(0, users, _BATCH_USERS):
        of_batch = np.arange(first, min(first + _BATCH_USERS, users))
        size = len(of_batch) * TOP_K
        names = pc.utf8_lpad(pa.array(of_batch).cast(pa.string()), 10, "0")
        columns: dict[str, Any] = {
            "user_id": names.take(np.repeat(np.arange(len(of_batch)), TOP_K)),
            "rank": np.tile(np.arange(1, TOP_K + 1, dtype=np.int32), len(of_batch)),
            "item_id": pa.array(random.integers(0, ITEMS, size)).cast(pa.string()),
            "score": random.uniform(1, 5, size),
            "n_support": np.full(size, 3, np.int32),
            "adapted": np.ones(size, bool),
        }
        yield pa.table({**columns, **_repeated(provenance, size)})


def _evidence(provenance: Mapping[str, str]) -> pa.Table:
    names = [str(number) for number in range(LIST)]
    half = np.full(LIST, 0.5)
    columns: dict[str, Any] = {
        "segment": ["all"] * LIST,
        "rank": np.arange(1, LIST + 1),
        "item_id": names,
        "title": [f"Title {name}" for name in names],
        "evidence_score": half * half,
        "discriminative_value": half,
        "popularity_value": half,
        "n_interactions": np.full(LIST, 10),
    }
    return pa.table({**columns, **_repeated(provenance, LIST)})


def _metrics(provenance: Mapping[str, str]) -> pa.Table:
    size = len(_METRICS)
    columns: dict[str, Any] = {
        "scenario": ["user_cold"] * size,
        "metric": list(_METRICS),
        "value": np.full(size, 0.8),
        "baseline": np.full(size, 0.9),
        "n_tasks": np.full(size, 100),
    }
    names = ("model", "run_id")
    return pa.table({**columns, **_repeated({name: provenance[name] for name in names}, size)})


def _repeated(values: Mapping[str, str], size: int) -> dict[str, Any]:
    return {name: pa.repeat(pa.scalar(value), size) for name, value in values.items()}
