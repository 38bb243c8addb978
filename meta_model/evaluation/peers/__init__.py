"""Recommenders that a list has to beat: they know interactions, or attributes, and nothing else.

Each is fitted on who chose what, or on what items are. It scores all items for users of whom some
choices are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from meta_model.choice.interactions import Interactions
from meta_model.evaluation.lists import Ranker
from meta_model.evaluation.peers.implicit_als import ImplicitAls, ials
from meta_model.evaluation.peers.item_to_item import ContentKnn, ItemToItem, ease, item_knn
from meta_model.evaluation.peers.popularity import Blended, SegmentPopularity

# Those that adapt to the items that a user is known to have chosen, by the names in tables.
ADAPTED: Mapping[str, Callable[[Interactions], Ranker]] = {
    "item_knn": item_knn,
    "ease": ease,
    "ials": ials,
}

__all__ = [
    "ADAPTED",
    "Blended",
    "ContentKnn",
    "ImplicitAls",
    "ItemToItem",
    "SegmentPopularity",
    "ease",
    "ials",
    "item_knn",
]
