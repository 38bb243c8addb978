"""The methods whose lists a night compares: the published order, others of its model, and peers.

The peers are popularity, by several counts, and methods that adapt to the items that a user is
known to have chosen, each as far as its cost allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from meta_model.choice.content import popularity_by_content
from meta_model.choice.interactions import Interactions
from meta_model.choice.trend import decayed
from meta_model.data.inputs import Inputs
from meta_model.data.segments import segments
from meta_model.evaluation import peers
from meta_model.evaluation.lists import Ranker
from meta_model.evaluation.rankers import Fixed, OfChoices, Unadapted
from meta_model.ranking.recommender import Recommender
from schemas.tables.products import CHAMPION, LIST_PEERS, RANKED_BY

_MOST_ITEMS = 20_000  # ItemKNN and EASE hold a matrix of items by items
# What implicit ALS takes of a processor for so many is five minutes.
_MOST_PAIRS = 10_000_000
_MOST_ROWS = 500_000  # users and items


def methods(
    recommender: Recommender,
    inputs: Inputs,
    champion: Recommender | None,
    tell: Callable[[str], None],
) -> dict[str, Ranker]:
    """By name: the published order first, the others of the same model, then its peers."""
    ranked_by = recommender.config.products.rank_by
    statistics = inputs.statistics()
    means = statistics.sums / statistics.counts.clamp(min=1)
    by_p_like = {"products.rank_by": "p_like"}
    found: dict[str, Ranker] = {
        recommender.config.model: recommender,
        **{
            f"by_{by}": recommender.having({"products.rank_by": by})
            for by in RANKED_BY
            if by != ranked_by
        },
        "without_neighbours": recommender.having(by_p_like | {"choice.neighbour_weight": 0.0}),
        "without_trend": recommender.having(by_p_like | {"choice.trend_weight": 0.0}),
        "unadapted": Unadapted(recommender),
        "popularity": Fixed(statistics.counts.double()),
        "recent_popularity": Fixed(decayed(inputs, "train_recent")),
    }
    if champion is not None:
        # Of the same inputs: what is computed of them is computed once.
        found[CHAMPION] = replace(champion, neighbours=recommender.neighbours)
    if inputs.feedback == "explicit":
        found["item_mean"] = Fixed(means.double())
    interactions = recommender.neighbours.interactions
    of_users = segments(inputs, recommender.config.products.segment_users)
    if len(of_users.names) > 1:
        found["segment_popularity"] = peers.SegmentPopularity(interactions, of_users)
    found |= {name: OfChoices(peer, inputs.feedback) for name, peer in _adapted(interactions, tell)}
    return found


def new_item_methods(of_trained: Mapping[str, Ranker], inputs: Inputs) -> dict[str, Ranker]:
    """Those of the methods that say something of new items, and their peers, by name."""
    blind = (*LIST_PEERS, "without_neighbours", "without_trend")  # new items have neither
    found = {name: ranker for name, ranker in of_trained.items() if name not in blind}
    if inputs.items.names:
        counts = inputs.statistics().counts
        found["content_popularity"] = Fixed(popularity_by_content(inputs.items, counts))
        found["content_knn"] = OfChoices(peers.ContentKnn(inputs.items), inputs.feedback)
    return found


def _adapted(
    interactions: Interactions, tell: Callable[[str], None]
) -> Iterator[tuple[str, Ranker]]:
    """The peers that adapt to a user's known items, by name; tells which ones cost too much."""
    refused: set[str] = set()
    if interactions.n_items > _MOST_ITEMS:
        refused |= {"item_knn", "ease"}
        tell(f"no lists of ItemKNN and EASE: more than {_MOST_ITEMS:,} items")
    n_rows = interactions.n_users + interactions.n_items
    if len(interactions.items) > _MOST_PAIRS or n_rows > _MOST_ROWS:
        refused.add("ials")
        tell(
            f"no lists of iALS: more than {_MOST_PAIRS:,} interactions of training users, or "
            f"{_MOST_ROWS:,} users and items"
        )
    for name, fit in peers.ADAPTED.items():
        if name not in refused:
            yield name, fit(interactions)
