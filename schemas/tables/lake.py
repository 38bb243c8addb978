"""The lake's tables. A table whose columns depend on the data set is a function of its spec."""

from __future__ import annotations

from schemas.dataset.spec import DatasetSpec
from schemas.tables.columns import Table
from schemas.tables.episodes import SCENARIOS, SPLITS, episodes
from schemas.tables.history import ITEM_DAYS, TIMELINES, USER_DAYS
from schemas.tables.network import ITEM_LINKS, metapath_neighbours
from schemas.tables.profiles import VOCABULARY, item_profiles, user_profiles
from schemas.tables.source import (
    INTERACTIONS_QUARANTINE,
    QUARANTINE_REASONS,
    interactions,
    items,
    users,
)

__all__ = [
    "INTERACTIONS_QUARANTINE",
    "ITEM_LINKS",
    "QUARANTINE_REASONS",
    "SCENARIOS",
    "SPLITS",
    "TIMELINES",
    "VOCABULARY",
    "episodes",
    "interactions",
    "item_profiles",
    "items",
    "lake_tables",
    "metapath_neighbours",
    "user_profiles",
    "users",
]


def lake_tables(spec: DatasetSpec) -> tuple[Table, ...]:
    """Every table that Spark writes, in the order of the night."""
    return (
        interactions(spec),
        USER_DAYS,
        ITEM_DAYS,
        INTERACTIONS_QUARANTINE,
        users(spec),
        items(spec),
        ITEM_LINKS,
        VOCABULARY,
        user_profiles(spec),
        item_profiles(spec),
        TIMELINES,
        episodes(spec),
        metapath_neighbours(spec),
    )
