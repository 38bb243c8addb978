"""The night's lake tables as what a learner needs: episodes, features, statistics, vocabulary."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from meta_model.features import Features, features
from meta_model.item_statistics import ItemStatistics
from schemas import dataset_choice, tables
from schemas.arrow import read_partition
from schemas.columns import Table
from schemas.dataset_spec import DatasetSpec
from schemas.lake import Lake


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Everything of one `ds`. `user_profiles` and `item_profiles` are ordered by their index."""

    spec: DatasetSpec
    user_profiles: pa.Table
    item_profiles: pa.Table
    users: Features
    items: Features
    episodes: pa.Table
    vocabulary_checksum: str

    def split(self, *names: str) -> pa.Table:
        return self.episodes.filter(pc.is_in(self.episodes["split"], pa.array(names)))

    def statistics(self) -> ItemStatistics:
        return ItemStatistics.from_profiles(self.item_profiles)


def load(lake: Lake, ds: date) -> Inputs:
    spec = dataset_choice.of_lake(lake.root)

    def read(table: Table, made_by: str) -> pa.Table:
        return read_partition(table, lake.require(table.name, ds, made_by=made_by))

    vocabulary = read(tables.VOCABULARY, "build-profiles")
    user_profiles = read(tables.user_profiles(spec), "build-profiles").sort_by("user_index")
    item_profiles = read(tables.item_profiles(spec), "build-profiles").sort_by("item_index")
    sizes = _sizes(vocabulary)
    user_features, item_features = list(spec.users.features), list(spec.items.features)
    return Inputs(
        spec=spec,
        user_profiles=user_profiles,
        item_profiles=item_profiles,
        users=features(
            user_profiles,
            "user_index",
            user_features,
            {name: sizes.get(f"user.{name}", 1) for name in user_features},
        ),
        items=features(
            item_profiles,
            "item_index",
            item_features,
            {name: sizes.get(f"item.{name}", 1) for name in item_features},
        ),
        episodes=read(tables.episodes(spec), "build-episodes").sort_by("task_id"),
        vocabulary_checksum=_checksum(vocabulary),
    )


def _sizes(vocabulary: pa.Table) -> dict[str, int]:
    """Values of each feature, the unknown one included."""
    largest = vocabulary.group_by("feature").aggregate([("index", "max")])
    return {row["feature"]: row["index_max"] + 1 for row in largest.to_pylist()}


def _checksum(vocabulary: pa.Table) -> str:
    rows = vocabulary.sort_by([("feature", "ascending"), ("index", "ascending")])
    text = "\n".join("\t".join(map(str, row.values())) for row in rows.to_pylist())
    return hashlib.sha256(text.encode()).hexdigest()
