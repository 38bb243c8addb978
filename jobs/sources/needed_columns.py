"""The columns that are needed from each file of a source."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.dataset.network import FileRelation
from schemas.dataset.spec import DatasetSpec, Feature, Interactions, Items, SourceFile, Users

Asked = list[tuple[SourceFile, list[str]]]


def of_spec(spec: DatasetSpec) -> Asked:
    """Every file that the spec names, with its needed columns."""
    asked: Asked = [(spec.interactions, of_interactions(spec.interactions))]
    if spec.users is not None:
        asked.append((spec.users, of_users(spec.users)))
    asked.append((spec.items, of_items(spec.items)))
    relations = spec.network.file_relations.values() if spec.network else ()
    for relation in relations:
        asked += of_relation(relation)
    return asked


def of_interactions(columns: Interactions) -> list[str]:
    """The columns of the interactions' file that ingest reads, by their names in the file."""
    time = columns.synthetic_time.order if columns.synthetic_time else columns.event_time
    names = [columns.user_id, columns.item_id, columns.rating, time]
    return [name for name in names if name is not None]


def of_users(users: Users) -> list[str]:
    """The columns of the users' file that ingest reads, by their names in the file."""
    return [users.user_id, *_of_features(users.features)]


def of_items(items: Items) -> list[str]:
    """The columns of the items' file that ingest reads, by their names in the file."""
    return [items.item_id, *filter(None, [items.title]), *_of_features(items.features)]


def of_relation(relation: FileRelation) -> Asked:
    """The file of the relation, and that of the items' other ids."""
    asked: Asked = [(relation, [relation.item, relation.node])]
    if relation.ids is not None:
        asked.append((relation.ids, [relation.ids.item_id, relation.ids.alias]))
    return asked


def _of_features(features: Mapping[str, Feature]) -> list[str]:
    return [name for f in features.values() for name in (f.column, *f.flags) if name]
