"""The `[network]` of a dataset spec: what items are linked to, and the meta-paths over it.

    [network]                                 # optional, and so are cap and seed
    cap = 64
    seed = 1
    [network.metapaths]                       # name = "users", or a relation
    UMUM = "users"                            # items that a user of the item rated as well
    UMAM = "actor"                            # items that share a node of the relation
    [network.relations.genre]
    feature = "genres"                        # the values of an item feature are the nodes
    [network.relations.actor]
    file = "film.kg"                          # and delimiter, quote, encoding, columns
    item = "head"                             # the column that names the item
    node = "tail"                             # the column that names the node
    only = { relation = "film.film.actor" }   # the rows that count; all by default
    ids = { file = "film.link", item_id = "item", alias = "entity" }  # if it has other item ids

The user's own items (MetaHIN's UM) are no meta-path here: a task's support holds them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.dataset.features import as_column
from schemas.dataset.source_files import SourceFile
from schemas.dataset.toml_record import build
from schemas.errors import UserError

USERS = "users"


@dataclass(frozen=True, kw_only=True)
class ItemIds(SourceFile):
    """Which items are meant by the ids that another file knows them by."""

    item_id: str
    alias: str


@dataclass(frozen=True, kw_only=True)
class FileRelation(SourceFile):
    """One link a row, of an item to a node."""

    item: str
    node: str
    ids: ItemIds | None = None


@dataclass(frozen=True, kw_only=True)
class FeatureRelation:
    """Each value of the item feature is a node."""

    feature: str


@dataclass(frozen=True, kw_only=True)
class Network:
    """`metapaths` lead from item to item over `users` or a relation.

    An item keeps at most `cap` neighbours a meta-path, drawn by a hash that `seed` changes.
    """

    metapaths: dict[str, str]
    relations: dict[str, FileRelation | FeatureRelation] = field(default_factory=dict)
    cap: int = 64
    seed: int = 1

    @property
    def file_relations(self) -> dict[str, FileRelation]:
        return {
            name: relation
            for name, relation in self.relations.items()
            if isinstance(relation, FileRelation)
        }

    def files(self) -> tuple[str, ...]:
        """Every file that the relations name, once."""
        relations = self.file_relations.values()
        named = ((r.file, *([r.ids.file] if r.ids else [])) for r in relations)
        return tuple(dict.fromkeys(name for names in named for name in names))


def network(values: dict[str, Any], where: str) -> Network:
    """The section's values, validated; `where` names it in errors."""
    relations = values.get("relations")
    if isinstance(relations, dict):
        made = {
            name: _relation(r, f"{where[:-1]}.relations.{name}]") for name, r in relations.items()
        }
        values = {**values, "relations": made}
    result = build(Network, values, where)
    if result.cap < 1:
        raise UserError(f"{where}: cap is {result.cap}, expected at least 1 neighbour.")
    if not result.metapaths:
        raise UserError(
            f"{where}: metapaths is empty, expected one or more; or leave [network] out."
        )
    if USERS in result.relations:
        raise UserError(
            f"{where}: a relation is named {USERS!r}, which meta-paths have for the interactions; "
            "give it another name."
        )
    known = [USERS, *result.relations]
    for name, over in result.metapaths.items():
        if over not in known:
            raise UserError(
                f"{where}: metapath {name} leads over {over!r}, expected one of {known}."
            )
    return result


def with_column_names(made: Network) -> Network:
    """The network with the item features called as their columns are."""
    relations = {
        name: replace(relation, feature=as_column(relation.feature))
        if isinstance(relation, FeatureRelation)
        else relation
        for name, relation in made.relations.items()
    }
    return replace(made, relations=relations)


def check_features(made: Network, features: Iterable[str], where: str) -> None:
    """Raise a `UserError` when a relation names an item feature that the spec has not."""
    known = sorted(features)
    for name, relation in made.relations.items():
        if isinstance(relation, FeatureRelation) and relation.feature not in known:
            raise UserError(
                f"{where[:-1]}.relations.{name}]: feature is {relation.feature!r}, expected one of "
                f"the item features {known}."
            )


def _relation(values: Any, where: str) -> FileRelation | FeatureRelation:
    if not isinstance(values, dict) or ("feature" in values) == ("file" in values):
        raise UserError(f"{where}: give either `feature`, or `file` with `item` and `node`.")
    if "feature" in values:
        return build(FeatureRelation, values, where)
    if isinstance(values.get("ids"), dict):
        values = {**values, "ids": build(ItemIds, values["ids"], f"{where[:-1]}.ids]")}
    made = build(FileRelation, values, where)
    if "jdbc" in (made.format, made.ids.format if made.ids else None):
        raise UserError(
            f'{where}: format is "jdbc", expected a file: relations are not read from a database. '
            "Export the table, or make the relation a feature of the items."
        )
    return made
