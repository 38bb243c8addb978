"""What the steps give to the lake: the contracts' tables, in the contracts' order and types."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from meta_model.choice.model import ChoiceModel
from meta_model.data.inputs import Inputs
from meta_model.evaluation.list_quality import ListMetricValue
from meta_model.evaluation.scenarios import MetricValue
from meta_model.evaluation.stratified_metrics import StratifiedMetrics
from meta_model.evidence.item_scores import ItemScores, unit_scaled
from meta_model.evidence.quality import EvidenceResult
from meta_model.evidence.rank_statistics import rank_statistics
from meta_model.evidence.segment_lists import SegmentList
from meta_model.ranking.scoring import Scores
from schemas.lake import Lake
from schemas.projections.arrow import arrow_schema
from schemas.run.artefact import Provenance
from schemas.run.run_id import RunId
from schemas.tables.columns import Table
from schemas.tables.metrics import named
from schemas.tables.products import (
    CHAMPION,
    COLD_USER_SCORES,
    EVIDENCE_INTERVALS,
    EVIDENCE_ITEMS,
    EVIDENCE_QUALITY,
    LIST_QUALITY,
    MODEL_METRICS,
)


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
    segment: str,
    chosen: SegmentList,
    scores: ItemScores,
    model: ChoiceModel,
    inputs: Inputs,
    provenance: Provenance,
    length: int,
) -> pa.Table:
    """The first `length` items of the segment's list, with the statistics of each rank."""
    indices = chosen.items[:length]
    items, n = inputs.item_profiles.take(indices.numpy() - 1), len(indices)
    rows = torch.searchsorted(scores.items, indices)
    discriminative = scores.discriminative[rows].numpy()
    popularity = unit_scaled(scores.n_interactions)[rows].numpy()
    statistics = rank_statistics(model, chosen.members, indices)
    return _table(
        EVIDENCE_ITEMS,
        provenance,
        n,
        {
            "segment": pa.repeat(segment, n),
            "rank": np.arange(1, n + 1),
            **{name: items[name] for name in ("item_id", "title", "n_interactions")},
            "evidence_score": discriminative * popularity,
            "discriminative_value": discriminative,
            "popularity_value": popularity,
            **{name: value.numpy() for name, value in vars(statistics).items()},
            "same_as_all": pa.repeat(chosen.same_as_all, n),
        },
    )


def scores_table(scores: Scores, inputs: Inputs, provenance: Provenance) -> pa.Table:
    """One row a user and rank; users with fewer candidates than ranks have fewer rows."""
    items = scores.items.cpu().numpy()
    rows, ranks = np.nonzero(items)
    users = scores.users.cpu().numpy()[rows]

    def ranked(values: Tensor) -> Any:
        return pa.array(values.cpu().numpy()[rows, ranks], from_pandas=True)  # NaN is null

    return _table(
        COLD_USER_SCORES,
        provenance,
        len(rows),
        {
            "user_id": inputs.user_profiles["user_id"].take(pa.array(users - 1)),
            "rank": ranks + 1,
            "item_id": inputs.item_profiles["item_id"].take(pa.array(items[rows, ranks] - 1)),
            "score": ranked(scores.scores),
            "n_support": scores.n_support.cpu().numpy()[rows],
            "adapted": scores.adapted.cpu().numpy()[rows],
            "p_like": ranked(scores.p_like),
            "p_choice": ranked(scores.p_choice),
            "score_low": ranked(scores.low),
            "score_high": ranked(scores.high),
            "ranked_by": pa.repeat(scores.ranked_by, len(rows)),
        },
    )


def quality_table(segment: str, judged: list[EvidenceResult], provenance: Provenance) -> pa.Table:
    """What each list of a segment is worth, length by length."""
    means = ("mae", "ndcg5", "ndcg10_after", "recall20_after")
    columns: dict[str, Any] = {
        "segment": pa.repeat(segment, len(judged)),
        "list": [each.name for each in judged],
        "length": [each.length for each in judged],
        "n_users": [len(each.elicited.users) for each in judged],
        "n_revealed_mean": [each.elicited.n_revealed.mean().item() for each in judged],
        **{name: [getattr(each.elicited, name).mean().item() for each in judged] for name in means},
    }
    for metric, other in EVIDENCE_INTERVALS:
        ends = [each.interval(metric, other) for each in judged]
        columns[f"{metric}_minus_{other}_low"] = [low for low, _ in ends]
        columns[f"{metric}_minus_{other}_high"] = [high for _, high in ends]
    return _table(EVIDENCE_QUALITY, provenance, len(judged), columns)


def metrics_table(
    figures: list[MetricValue], provenance: Provenance, champion: RunId | None = None
) -> pa.Table:
    """The figures, each beside its baseline's for the same metric and scenario.

    `champion`: whose the figures of that name are.
    """
    of_models = {(f.model, f.scenario, f.metric): f.value for f in figures}

    def baseline(figure: MetricValue) -> float | None:
        model = named(figure.metric).baseline
        metric = figure.metric.removesuffix("_of_expected")  # a baseline predicts one rating only
        return None if model is None else of_models.get((model, figure.scenario, metric))

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
            "run_id": [
                str(champion if figure.model == CHAMPION else provenance.run_id)
                for figure in figures
            ],
            "baseline": [baseline(figure) for figure in figures],
        },
    )


def list_quality_table(
    figures: list[ListMetricValue], provenance: Provenance, champion: RunId | None = None
) -> pa.Table:
    """What lists are worth; `champion`: whose the figures of that name are."""

    def ends(name: str, place: int) -> list[float | None]:
        pairs = [getattr(figure, name) for figure in figures]
        return [None if pair is None else pair[place] for pair in pairs]

    names = ("model", "scenario", "known", "metric", "value", "n_users")
    return _table(
        LIST_QUALITY,
        provenance,
        len(figures),
        {
            **{name: [getattr(figure, name) for figure in figures] for name in names},
            "low": ends("interval", 0),
            "high": ends("interval", 1),
            "lead_low": ends("lead", 0),
            "lead_high": ends("lead", 1),
            "run_id": [
                str(champion if figure.model == CHAMPION else provenance.run_id)
                for figure in figures
            ],
        },
    )


def write_stratified(
    lake: Lake, ds: date, stratified: StratifiedMetrics, provenance: Provenance
) -> None:
    """Replace the partitions of `ds` of `quality_by_support` and `calibration`."""
    for table, columns in stratified.columns().items():
        rows = len(columns["scenario"])
        write(lake, table, ds, [_table(table, provenance, rows, columns)])


def _table(table: Table, provenance: Provenance, rows: int, columns: dict[str, Any]) -> pa.Table:
    schema = arrow_schema(table)
    known = {
        "model": pa.repeat(provenance.model, rows),
        "model_version": pa.repeat(provenance.model_version, rows),
        "run_id": pa.repeat(str(provenance.run_id), rows),
        **columns,
    }
    arrays = [_cast(known[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _cast(values: Any, data_type: pa.DataType) -> Any:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values.cast(data_type)
    return pa.array(values).cast(data_type) if len(values) else pa.array([], data_type)
