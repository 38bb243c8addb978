"""The checks between the steps: Great Expectations on every table before the next step reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from pyspark.sql import functions as F

from jobs.checks import incremental
from jobs.checks.night import Frames, Night, check
from jobs.spark.partitions import read_days, read_history
from jobs.transforms.referential_checks import (
    with_chosen_negatives,
    with_rated,
    with_unfit_neighbours,
    with_unknowns,
)
from schemas.dataset import choice as dataset_choice
from schemas.lake import Lake
from schemas.run import decision, journal
from schemas.run.settings import Settings
from schemas.tables import evaluation as evaluation_tables
from schemas.tables import lake as tables
from schemas.tables import metrics, products
from schemas.tables.columns import Table


def check_interactions(settings: Settings, ds: date, record: journal.Step) -> None:
    """Check the interactions up to ds that no night has checked before, and the quarantine."""
    spec = dataset_choice.of_lake(settings.lake)
    interactions = tables.interactions(spec)
    days = incremental.days_to_check(Lake(root=settings.lake), interactions, ds)

    def frames(night: Night) -> Frames:
        yield interactions, read_days(night.spark, night.lake, interactions, sorted(days))
        yield tables.INTERACTIONS_QUARANTINE, night.read(tables.INTERACTIONS_QUARANTINE)

    record.progress(f"days of interactions to check: {len(days)}")
    check(settings, ds, record, spec, (interactions, tables.INTERACTIONS_QUARANTINE), frames)
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
    check(settings, ds, record, spec, checked, _feature_frames)


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
    check(settings, ds, record, spec, checked, frames)


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
