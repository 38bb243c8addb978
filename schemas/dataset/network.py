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

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from schemas.dataset.features import as_column
from schemas.dataset.source_files import SourceFile
from schemas.toml_file import Positive, Record

USERS = "users"


class ItemIds(SourceFile):
    """Which items are meant by the ids that another file knows them by."""

    item_id: str
    """The column of the items' ids as [items] has them."""
    alias: str
    """The column of the other ids."""


class FileRelation(SourceFile):
    """One link a row, of an item to a node."""

    item: str
    """The column that names the item."""
    node: str
    """The column that names the node."""
    ids: ItemIds | None = None
    """A file of the items' ids, if the relation's file has other ones."""

    @model_validator(mode="after")
    def _is_no_table(self) -> Self:
        if "jdbc" in (self.format, self.ids.format if self.ids else None):
            raise ValueError(
                'format is "jdbc", expected a file: relations are not read from a database. Export '
                "the table, or make the relation a feature of the items"
            )
        return self


class FeatureRelation(Record):
    """Each value of the item feature is a node."""

    feature: Annotated[str, AfterValidator(as_column)]
    """The item feature, as [items.features] calls it."""


def _is_one(values: Any) -> Any:
    if isinstance(values, dict) and ("feature" in values) == ("file" in values):
        raise ValueError("give either `feature`, or `file` with `item` and `node`")
    return values


def _kind(values: Any) -> str:
    if isinstance(values, dict):
        return (FeatureRelation if "feature" in values else FileRelation).__name__
    return type(values).__name__


Relation = Annotated[
    Annotated[FileRelation, Tag("FileRelation")]
    | Annotated[FeatureRelation, Tag("FeatureRelation")],
    Discriminator(_kind),
    BeforeValidator(_is_one),
]


class Network(Record):
    """What items are linked to, and the meta-paths over it."""

    metapaths: dict[str, str]
    """By name, what each leads over from item to item: `users`, or a relation."""
    relations: dict[str, Relation] = Field(default_factory=dict)
    """By name: values of an item feature, or rows of a file."""
    cap: Positive = 64
    """The most neighbours that an item keeps a meta-path."""
    seed: int = 1
    """Changes the hash that draws them."""

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if not self.metapaths:
            raise ValueError("metapaths is empty, expected one or more; or leave [network] out")
        if USERS in self.relations:
            raise ValueError(
                f"a relation is named {USERS!r}, which meta-paths have for the interactions; give "
                "it another name"
            )
        known = [USERS, *self.relations]
        if wrong := {name: over for name, over in self.metapaths.items() if over not in known}:
            name, over = next(iter(wrong.items()))
            raise ValueError(f"metapath {name} leads over {over!r}, expected one of {known}")
        return self

    @property
    def file_relations(self) -> dict[str, FileRelation]:
        """The relations that ingest reads from files; others come from features."""
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

    def check_features(self, features: dict[str, Any]) -> None:
        """Raise a `ValueError` when a relation names an item feature that the spec has not."""
        for name, relation in self.relations.items():
            if isinstance(relation, FeatureRelation) and relation.feature not in features:
                raise ValueError(
                    f"the feature of the relation {name} is {relation.feature!r}, expected one of "
                    f"the item features {sorted(features)}"
                )
