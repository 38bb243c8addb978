"""The night's lake tables as what a learner needs: features, episodes, neighbours, vocabulary."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa

from meta_model.data.episodes import Episodes
from meta_model.data.features import Features, features
from meta_model.data.item_statistics import ItemStatistics
from meta_model.data.metapaths import NO_METAPATHS, Metapaths, metapaths
from schemas.dataset import choice as dataset_choice
from schemas.dataset.feedback import usual_liked_level
from schemas.dataset.spec import Feedback
from schemas.lake import Lake
from schemas.projections.arrow import arrow_schema, partition_files, read_partition
from schemas.tables import lake as tables
from schemas.tables.columns import Table


def _no_vocabulary() -> pa.Table:
    return arrow_schema(tables.VOCABULARY).empty_table()


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything of one `ds`. `user_profiles` and `item_profiles` are ordered by their index."""

    rating_levels: tuple[float, ...]  # every rating there can be, in ascending order
    user_profiles: pa.Table
    item_profiles: pa.Table
    users: Features
    items: Features
    episodes: Episodes
    vocabulary_checksum: str
    vocabulary: pa.Table = field(default_factory=_no_vocabulary)
    feedback: Feedback = "explicit"
    segments: tuple[str, ...] = ()  # the users' features whose values make segments
    metapaths: Metapaths = NO_METAPATHS
    liked_level: float | None = None  # where the data set says another one than the usual
    versions: tuple[str, ...] = ()  # the lake's versions that all this was read from

    @property
    def is_implicit(self) -> bool:
        """Whether people chose, and did not rate."""
        return self.feedback == "implicit"

    @property
    def liked_from(self) -> float:
        """The least rating of a liked item: 4 of 1 to 5; of implicit feedback, a choice."""
        usual = usual_liked_level(self.rating_levels)
        return usual if self.liked_level is None else self.liked_level

    def statistics(self) -> ItemStatistics:
        """Counts and sums of training ratings by item_index, from the item profiles."""
        return ItemStatistics.from_profiles(self.item_profiles, self.feedback)


def load(lake: Lake, ds: date) -> Inputs:
    """Inputs of `ds` from the lake; raises `UserError` with the step whose partition is missing."""
    spec = dataset_choice.of_lake(lake.root)
    versions: list[str] = []

    def partition(table: Table) -> Path:
        path = lake.require(table.name, ds)
        versions.append(f"{table.name}/{path.name}")
        return path

    def profiles(table: Table) -> pa.Table:
        return read_partition(table, partition(table))

    vocabulary = profiles(tables.VOCABULARY)
    user_profiles = profiles(tables.user_profiles(spec)).sort_by("user_index")
    item_profiles = profiles(tables.item_profiles(spec)).sort_by("item_index")
    episodes = tables.episodes(spec)
    files = partition_files(episodes, partition(episodes))
    neighbours = tables.metapath_neighbours(spec)
    reached = read_partition(neighbours, partition(neighbours))
    return Inputs(
        feedback=spec.feedback,
        segments=spec.segments,
        rating_levels=spec.rating_levels,
        liked_level=spec.liked_level,
        user_profiles=user_profiles,
        item_profiles=item_profiles,
        users=features(user_profiles, "user_index", _sizes(vocabulary, "user", spec.user_features)),
        items=features(
            item_profiles, "item_index", _sizes(vocabulary, "item", spec.items.features)
        ),
        episodes=Episodes(files=files),
        vocabulary_checksum=_checksum(vocabulary),
        vocabulary=vocabulary,
        metapaths=metapaths(
            reached, spec.network.metapaths if spec.network else {}, len(item_profiles)
        ),
        versions=tuple(versions),
    )


def _sizes(vocabulary: pa.Table, entity: str, names: Iterable[str]) -> dict[str, int]:
    """Values of each of the entity's features, the unknown one included."""
    largest = vocabulary.group_by("feature").aggregate([("index", "max")])
    known = {row["feature"]: row["index_max"] + 1 for row in largest.to_pylist()}
    return {name: known.get(f"{entity}.{name}", 1) for name in names}


def _checksum(vocabulary: pa.Table) -> str:
    rows = vocabulary.sort_by([("feature", "ascending"), ("index", "ascending")])
    text = "\n".join("\t".join(map(str, row.values())) for row in rows.to_pylist())
    return hashlib.sha256(text.encode()).hexdigest()
