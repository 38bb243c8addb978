"""Made-up products of any size, as a night leaves them in the lake, written batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas import utc
from schemas.projections.arrow import arrow_schema
from schemas.tables.columns import Table
from schemas.tables.products import PRODUCTS

DS = date(2024, 4, 9)
TOP_K = 20  # scores a user
LIST = 100  # evidence items
ITEMS = 20_000
_BATCH_USERS = 25_000
_METRICS = ("mae", "rmse", "ndcg5", "adaptation_gain")
_KNOWN = ("0", "1", "3", "5", "10", "all")
_LISTS = ("evidence", "popularity", "random")


def write(folder: Path, scores: int, run: str) -> dict[Table, Path]:
    """All products of one run, the partition of each; `scores` rows of cold_user_scores."""
    provenance = {"model": "melu", "model_version": "0123456789ab", "run_id": run}
    batches: dict[str, Iterable[pa.Table]] = {
        "evidence_items": [_evidence(provenance)],
        "evidence_quality": [_quality(provenance)],
        "cold_user_scores": _scores(scores // TOP_K, provenance),
        "model_metrics": [_metrics(provenance)],
        "list_quality": [_list_quality(provenance)],
    }
    partitions = {}
    for product in PRODUCTS:
        partitions[product] = folder / product.name
        partitions[product].mkdir(parents=True)
        schema = arrow_schema(product)
        with pq.ParquetWriter(partitions[product] / "part-0.parquet", schema) as writer:
            for batch in batches[product.name]:
                writer.write_table(batch.select(schema.names).cast(schema))
    return partitions


def user_id(number: int) -> str:
    """A zero-padded number, so that the order as text is the order as numbers."""
    return f"{number:010}"


def publication(scores: int, run: str) -> dict[str, Any]:
    """The row of `publications`, without the number of the publication."""
    now = utc.now()
    return {
        **{"dataset": "made-up", "model": "melu", "model_version": "0123456789ab", "run_id": run},
        **{"evidence_items_rows": LIST, "evidence_quality_rows": len(_LISTS)},
        **{"cold_user_scores_rows": scores, "model_metrics_rows": len(_METRICS)},
        **{"list_quality_rows": len(_KNOWN)},
        **{"interactions": 1, "late_interactions": 0, "revision": 1, "gate": "not asked"},
        **{"data_read_at": now, "made_at": now, "published_at": now, "trained_ds": DS},
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
            "p_like": random.uniform(0, 1, size),
            "p_choice": random.uniform(0, 1, size),
            "score_low": np.full(size, 2.0),
            "score_high": np.full(size, 5.0),
            "ranked_by": ["p_like"] * size,
            "is_new": np.ones(size, bool),
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
        "expected_gain": half,
        "answer_rate": half,
        "redundancy": half,
        "same_as_all": [True] * LIST,
    }
    return pa.table({**columns, **_repeated(provenance, LIST)})


def _quality(provenance: Mapping[str, str]) -> pa.Table:
    size = len(_LISTS)
    columns: dict[str, Any] = {
        "segment": ["all"] * size,
        "list": list(_LISTS),
        "length": np.full(size, 10),
        "n_users": np.full(size, 100),
        "n_revealed_mean": np.full(size, 2.5),
        "mae": np.full(size, 0.8),
        "rmse": np.full(size, 0.9),
        "ndcg5": np.full(size, 0.7),
        "mae_minus_popularity_low": np.full(size, -0.01),
        "mae_minus_popularity_high": np.full(size, 0.01),
        "ndcg10_after": np.full(size, 0.2),
        "recall20_after": np.full(size, 0.3),
        **{
            f"ndcg10_after_minus_{other}_{end}": np.full(size, value)
            for other in ("popularity", "nothing")
            for end, value in (("low", -0.01), ("high", 0.01))
        },
    }
    return pa.table({**columns, **_repeated(provenance, size)})


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


def _list_quality(provenance: Mapping[str, str]) -> pa.Table:
    size = len(_KNOWN)
    columns: dict[str, Any] = {
        "scenario": ["user_cold"] * size,
        "known": list(_KNOWN),
        "metric": ["ndcg10"] * size,
        "value": np.full(size, 0.2),
        **{name: np.full(size, 0.1) for name in ("low", "high", "lead_low", "lead_high")},
        "n_users": np.full(size, 100),
    }
    names = ("model", "run_id")
    return pa.table({**columns, **_repeated({name: provenance[name] for name in names}, size)})


def _repeated(values: Mapping[str, str], size: int) -> dict[str, Any]:
    return {name: pa.repeat(pa.scalar(value), size) for name, value in values.items()}
