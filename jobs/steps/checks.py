"""The checks between the steps: Great Expectations on every table before the next step reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.checks import data_docs, drift, incremental
from jobs.checks.validation import Validation, Validator
from jobs.spark.partitions import read_days, read_history, read_partition
from jobs.spark.session import spark_session
from jobs.transforms.referential_checks import (
    with_chosen_negatives,
    with_rated,
    with_unfit_neighbours,
    with_unknowns,
)
from schemas.dataset import choice as dataset_choice
from schemas.dataset.spec import DatasetSpec
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import MADE_BY
from schemas.projections.arrow import check_arrow
from schemas.run import decision, journal
from schemas.run.settings import Settings
from schemas.tables import evaluation as evaluation_tables
from schemas.tables import lake as tables
from schemas.tables import metrics, products
from schemas.tables.columns import Table
from schemas.tables.drift import DRIFT


@dataclass(frozen=True, kw_only=True)
class Night:
    """The tables of one ds, as Spark frames."""

    spark: SparkSession
    lake: Lake
    spec: DatasetSpec
    ds: date

    def read(self, table: Table) -> DataFrame:
        """The partition in force of `ds`; raises `UserError` with the step that makes it."""
        return read_partition(self.spark, self.lake, table, self.ds)


Frames = Iterator[tuple[Table, DataFrame]]


def check_interactions(settings: Settings, ds: date, record: journal.Step) -> None:
    """Check the interactions up to ds that no night has checked before, and the quarantine."""
    spec = dataset_choice.of_lake(settings.lake)
    interactions = tables.interactions(spec)
    days = incremental.days_to_check(Lake(root=settings.lake), interactions, ds)

    def frames(night: Night) -> Frames:
        yield interactions, read_days(night.spark, night.lake, interactions, sorted(days))
        yield tables.INTERACTIONS_QUARANTINE, night.read(tables.INTERACTIONS_QUARANTINE)

    record.progress(f"days of interactions to check: {len(days)}")
    _check(settings, ds, record, spec, (interactions, tables.INTERACTIONS_QUARANTINE), frames)
    incremental.mark_checked(days.values(), interactions)


def check_features(settings: Settings, ds: date, record: journal.Step) -> None:
    """Check what training reads: users and items of episodes and neighbours have a profile."""
    spec = dataset_choice.of_lake(settings.lake)
    checked = (
        tables.VOCABULARY,
        tables.user_profiles(spec),
        tables.item_profiles(spec),
        tables.episodes(spec),
        tables.metapath_neighbours(spec),
    )
    _check(settings, ds, record, spec, checked, _feature_frames)


def check_outputs(settings: Settings, ds: date, record: journal.Step, model: str) -> None:
    """Check what is about to be published: of the chosen model, no item that the user rated."""
    spec = dataset_choice.of_lake(settings.lake)
    _, run = decision.require(settings, ds, model)
    evidence = _narrowed(products.EVIDENCE_ITEMS, (run.model,))
    quality = _narrowed(products.EVIDENCE_QUALITY, (run.model,))
    scores = _narrowed(products.COLD_USER_SCORES, (run.model,))
    measured = (model, products.CHAMPION, *products.BASELINES)
    quantities = tuple(metric.name for metric in metrics.of_tasks(spec.feedback))
    figures = _narrowed(_narrowed(products.MODEL_METRICS, measured), quantities, of="metric")

    peers = (*products.LIST_PEERS, *products.NEW_ITEM_PEERS)
    judged = (model, products.CHAMPION, *products.LIST_ORDERS, *peers)
    lists = _narrowed(products.LIST_QUALITY, judged)
    stratified = tuple(_narrowed(table, (model,)) for table in evaluation_tables.STRATIFIED)

    def frames(night: Night) -> Frames:
        rated_in = (tables.episodes, tables.user_profiles, tables.item_profiles)
        episodes, users, items = (night.read(table(spec)) for table in rated_in)
        recommended = night.read(scores)
        yield evidence, night.read(evidence)
        yield quality, night.read(quality)
        yield scores, with_rated(recommended, episodes, users, items, is_implicit=spec.is_implicit)
        for table in (figures, lists, *stratified):
            yield table, night.read(table)

    checked = (evidence, quality, scores, figures, lists, *stratified)
    _check(settings, ds, record, spec, checked, frames)


def _narrowed(table: Table, allowed: tuple[str, ...], of: str = "model") -> Table:
    """The contract of one night: its rows name these models (or what else `of` says) only."""
    columns = (
        replace(column, allowed=allowed) if column.name == of else column
        for column in table.columns
    )
    return replace(table, columns=tuple(columns))


def _feature_frames(night: Night) -> Frames:
    users, items = tables.user_profiles(night.spec), tables.item_profiles(night.spec)
    table_of_episodes = tables.episodes(night.spec)
    for table in (tables.VOCABULARY, users, items):
        yield table, night.read(table)
    known = (night.read(users), night.read(items))
    episodes = with_unknowns(night.read(table_of_episodes), *known)
    if night.spec.is_implicit:
        interactions = tables.interactions(night.spec)
        events = read_history(night.spark, night.lake, interactions, until=night.ds)
        episodes = with_chosen_negatives(episodes, events, *known)
    else:
        episodes = episodes.withColumn("chosen_negatives", F.lit(0))
    yield table_of_episodes, episodes
    neighbours = tables.metapath_neighbours(night.spec)
    cap = night.spec.network.cap if night.spec.network else 0
    yield neighbours, with_unfit_neighbours(night.read(neighbours), night.read(items), cap)


def _check(
    settings: Settings,
    ds: date,
    record: journal.Step,
    spec: DatasetSpec,
    checked: tuple[Table, ...],
    frames: Callable[[Night], Frames],
) -> None:
    """Validate the frames, write their Data Docs, and raise one `UserError` of all failures.

    Drift from the previous ds is reported, and fails no step.
    """
    lake = Lake(root=settings.lake)
    _check_files(lake, ds, checked)
    validations = []
    with spark_session(settings) as spark:
        validator = Validator()
        for table, frame in frames(Night(spark=spark, lake=lake, spec=spec, ds=ds)):
            validation = validator.validate(table, frame)
            validations.append(validation)
            counts = validation.result.statistics
            record.progress(
                f"{table.name}: {validation.rows:,} rows, {counts['successful_expectations']} of "
                f"{counts['evaluated_expectations']} expectations met"
            )
        drifts = validator.validate(DRIFT, drift.measure(spark, lake, checked, ds))
    record.rows_in = sum(validation.rows for validation in validations)
    title = f"{record.name} of {spec.title}, ds {ds}"
    folder = settings.data_docs / f"ds={ds}" / record.name
    index = data_docs.write(folder, title, [*validations, drifts])
    record.facts["warnings"] = warnings = drifts.warnings()
    for warning in warnings:
        record.progress(f"warning: {warning}")
    record.facts["data_docs"] = str(index)
    record.progress(f"Data Docs: {index}")
    _raise_failures(validations, ds, f"Data Docs: {index}")


def _check_files(lake: Lake, ds: date, checked: tuple[Table, ...]) -> None:
    """Hold the files themselves to their contracts: Spark would read a missing column as nulls."""
    problems = []
    for table in checked:
        is_history = table.name == "interactions"
        for day in incremental.days_to_check(lake, table, ds) if is_history else [ds]:
            partition = lake.require(table.name, day)
            for file in sorted(partition.glob("*.parquet")):
                try:
                    check_arrow(table, pq.read_schema(file), str(file))
                except UserError as error:
                    problems.append(str(error))
                except pa.ArrowInvalid as error:
                    step = MADE_BY[table.name]
                    problems.append(
                        f"{file} is not readable Parquet ({error}); "
                        f"run the step {step.name} for ds {day} again: {step.command(day)}"
                    )
    if problems:
        raise UserError("\n".join(problems))


def _raise_failures(validations: list[Validation], ds: date, docs: str) -> None:
    failures = [failure for validation in validations for failure in validation.failures()]
    if not failures:
        return
    at_fault = sorted({MADE_BY[v.table.name].name for v in validations if v.failures()})
    raise UserError(
        f"{len(failures)} expectations of ds {ds} are not met:\n- "
        + "\n- ".join(failures)
        + f"\nCorrect the data or the step that wrote it ({', '.join(at_fault)}), "
        f"and run that step again for ds {ds}. {docs}"
    )
