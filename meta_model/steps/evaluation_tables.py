"""The tables of quality: of models, of their lists, by size of support, and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa

from meta_model.evaluation.list_quality import ListMetricValue
from meta_model.evaluation.scenarios import MetricValue
from meta_model.evaluation.stratified_metrics import StratifiedMetrics
from meta_model.steps.outputs import contract_table, write
from schemas.lake import Lake
from schemas.run.artefact import Provenance
from schemas.run.run_id import RunId
from schemas.tables.metrics import named
from schemas.tables.products import CHAMPION, LIST_QUALITY, MODEL_METRICS


def metrics_table(
    figures: list[MetricValue], provenance: Provenance, champion: RunId | None = None
) -> pa.Table:
    """The figures, each beside its baseline's for the same metric and scenario.

    champion: the run of the model published last, if the figures have it
    """
    of_models = {(f.model, f.scenario, f.metric): f.value for f in figures}

    def baseline(figure: MetricValue) -> float | None:
        model = named(figure.metric).baseline
        metric = figure.metric.removesuffix("_of_expected")  # a baseline predicts one rating only
        return None if model is None else of_models.get((model, figure.scenario, metric))

    return contract_table(
        MODEL_METRICS,
        provenance,
        len(figures),
        {
            **{
                name: [getattr(figure, name) for figure in figures]
                for name in ("scenario", "metric", "value", "n_tasks")
            },
            "model": [figure.model for figure in figures],
            "run_id": _run_ids(figures, provenance, champion),
            "baseline": [baseline(figure) for figure in figures],
        },
    )


def list_quality_table(
    figures: list[ListMetricValue], provenance: Provenance, champion: RunId | None = None
) -> pa.Table:
    """What lists are worth; champion: the run of the model published last, if there is one."""

    def ends(name: str, place: int) -> list[float | None]:
        pairs = [getattr(figure, name) for figure in figures]
        return [None if pair is None else pair[place] for pair in pairs]

    names = ("model", "scenario", "known", "metric", "value", "n_users")
    return contract_table(
        LIST_QUALITY,
        provenance,
        len(figures),
        {
            **{name: [getattr(figure, name) for figure in figures] for name in names},
            "low": ends("interval", 0),
            "high": ends("interval", 1),
            "lead_low": ends("lead", 0),
            "lead_high": ends("lead", 1),
            "run_id": _run_ids(figures, provenance, champion),
        },
    )


def write_stratified(
    lake: Lake, ds: date, stratified: StratifiedMetrics, provenance: Provenance
) -> None:
    """Replace the partitions of `ds` of `quality_by_support` and `calibration`."""
    for table, columns in stratified.columns().items():
        rows = len(columns["scenario"])
        write(lake, table, ds, [contract_table(table, provenance, rows, columns)])


def _run_ids(
    figures: Sequence[MetricValue | ListMetricValue],
    provenance: Provenance,
    champion: RunId | None,
) -> list[str]:
    """The run that made the model of each figure: the champion's own, else that of the night."""
    return [str(champion if figure.model == CHAMPION else provenance.run_id) for figure in figures]
