"""Recommenders that a list has to beat: they know interactions, or attributes, and nothing else.

Each is fitted on who chose what, or on what items are. It scores all items for users of whom some
choices are known.
"""

from meta_model.evaluation.peers.implicit_als import ImplicitAls, ials
from meta_model.evaluation.peers.item_to_item import ContentKnn, ItemToItem, ease, item_knn
from meta_model.evaluation.peers.popularity import Blended, SegmentPopularity

__all__ = [
    "Blended",
    "ContentKnn",
    "ImplicitAls",
    "ItemToItem",
    "SegmentPopularity",
    "ease",
    "ials",
    "item_knn",
]
