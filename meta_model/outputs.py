"""What the steps give to the lake: the contracts' tables, in the contracts' order and types."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from meta_model.artefact import Provenance
from meta_model.data.inputs import Inputs
from meta_model.evaluation import Figure
from meta_model.scoring import Scores
from schemas.arrow import arrow_schema
from schemas.columns import Table
from schemas.lake import Lake
from schemas.products import COLD_USER_SCORES, EVIDENCE_ITEMS, METRICS, MODEL_METRICS


def write(lake: Lake, table: Table, ds: date, parts: Iterable[pa.Table]) -> int:
    """Replace the partition with the parts' rows, streamed into one file; returns their number."""
    rows = 0
    with lake.replacing(table.name, ds) as draft:
        with pq.ParquetWriter(draft.path / "part-0.parquet", arrow_schema(table)) as writer:
            for part in parts:
                writer.write_table(part)
                rows += len(part)
        draft.rows = rows
    return rows


def evidence_table(
    chosen: dict[str, np.ndarray], inputs: Inputs, provenance: Provenance
) -> pa.Table:
    items = inputs.item_profiles.take(chosen["item_index"] - 1)
    n = len(items)
    return _table(
        EVIDENCE_ITEMS,
        provenance,
        n,
        {
            "segment": pa.repeat("all", n),
            "rank": np.arange(1, n + 1),
            **{name: items[name] for name in ("item_id", "title", "n_interactions")},
            **{name: chosen[name] for name in chosen if name != "item_index"},
        },
    )


def scores_table(scores: Scores, inputs: Inputs, provenance: Provenance) -> pa.Table:
    """One row a user and rank; users with fewer candidates than ranks have fewer rows."""
    items = scores.items.cpu().numpy()
    rows, ranks = np.nonzero(items)
    users = scores.users.cpu().numpy()[rows]
    return _table(
        COLD_USER_SCORES,
        provenance,
        len(rows),
        {
            "user_id": inputs.user_profiles["user_id"].take(pa.array(users - 1)),
            "rank": ranks + 1,
            "item_id": inputs.item_profiles["item_id"].take(pa.array(items[rows, ranks] - 1)),
            "score": scores.scores.cpu().numpy()[rows, ranks],
            "n_support": scores.n_support.cpu().numpy()[rows],
            "adapted": scores.adapted.cpu().numpy()[rows],
        },
    )


def metrics_table(figures: list[Figure], provenance: Provenance) -> pa.Table:
    """The figures, each beside its baseline's for the same metric and scenario.

    The baseline is the damped bias, and popularity for the ranks of implicit feedback.
    """
    of_models = {(f.model, f.scenario, f.metric): f.value for f in figures}

    def baseline(figure: Figure) -> float | None:
        """Like beside like: the median is a level, so the MAE's baseline is rounded to one."""
        if figure.metric in METRICS["implicit"]:
            return of_models.get(("popularity", figure.scenario, figure.metric))
        if figure.metric == "mae":
            return of_models.get(("damped_bias_rounded", figure.scenario, "mae"))
        metric = figure.metric.removesuffix("_of_expected")
        return of_models.get(("damped_bias", figure.scenario, metric))

    return _table(
        MODEL_METRICS,
        provenance,
        len(figures),
        {
            **{
                name: [getattr(figure, name) for figure in figures]
                for name in ("scenario", "metric", "value", "n_tasks")
            },
            "model": [figure.model for figure in figures],
            "baseline": [baseline(figure) for figure in figures],
        },
    )


def _table(table: Table, provenance: Provenance, rows: int, columns: dict[str, Any]) -> pa.Table:
    schema = arrow_schema(table)
    known = {
        "model": pa.repeat(provenance.model, rows),
        "model_version": pa.repeat(provenance.model_version, rows),
        "run_id": pa.repeat(provenance.run_id, rows),
        **columns,
    }
    arrays = [_cast(known[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _cast(values: Any, data_type: pa.DataType) -> Any:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values.cast(data_type)
    return pa.array(values).cast(data_type) if len(values) else pa.array([], data_type)
