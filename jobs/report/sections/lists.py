"""What the night's lists are worth beside simpler methods', by how much is known of a user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.report.night import Night, Part, Row
from schemas.tables.metrics import NDCG10
from schemas.tables.products import (
    ANY_KNOWN,
    CHAMPION,
    LIST_ORDERS,
    LIST_PEERS,
    LIST_QUALITY,
    NEW_ITEM_PEERS,
)

_OTHERS = (CHAMPION, *LIST_ORDERS, *LIST_PEERS, *NEW_ITEM_PEERS)
TITLES = {
    CHAMPION: "the last published model",
    "by_p_like": "the model, by p_like",
    "by_choice": "the model, by choice",
    "by_rating": "the model, by expected rating",
    "without_neighbours": "the model, without neighbours",
    "without_trend": "the model, without the trend",
    "unadapted": "the model, not adapted",
    "popularity": "popularity",
    "recent_popularity": "recent popularity",
    "segment_popularity": "popularity in the segment",
    "item_mean": "mean rating of the item",
    "item_knn": "ItemKNN",
    "ease": "EASE",
    "ials": "iALS",
    "content_popularity": "popularity of items with the same attributes",
    "content_knn": "ItemKNN by attributes",
}


@dataclass(frozen=True, kw_only=True)
class Method:
    """nDCG@10 of one method's lists; `values`, `lows` and `highs` by number known, in its order.

    mean: over 1 to all known; lead: the interval of how far the published lists are ahead by it
    coverage, overlap, novelty: of all its lists together, with the most interactions known
    """

    name: str
    title: str
    is_own: bool
    mean: float
    values: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    lead: tuple[float, float] | None
    coverage: float
    overlap: float
    novelty: float


@dataclass(frozen=True, kw_only=True)
class ListEvaluation:
    """The methods of one scenario, the night's own first; `known`: how many interactions.

    n_users: by number known; n_users_of_mean: of the mean over 1 to all known
    """

    known: tuple[str, ...]
    n_users: tuple[int, ...]
    n_users_of_mean: int
    methods: tuple[Method, ...]

    def of_model(self, *, is_champion: bool) -> Method | None:
        """The night's own model's or, where that is published, the champion's."""

        def is_wanted(method: Method) -> bool:
            return method.name == CHAMPION if is_champion else method.is_own

        return next(filter(is_wanted, self.methods), None)

    @property
    def best_peer(self) -> Method | None:
        """The best of the simpler methods; None where there is none."""
        peers = [method for method in self.methods if method.name in LIST_PEERS]
        return max(peers, key=lambda method: method.mean, default=None)


Lists = Mapping[str, ListEvaluation]  # by scenario


def lists(night: Night) -> Part[Lists]:
    """List evaluations by scenario; a note if no held-out user liked a chosen item."""
    found = night.rows(LIST_QUALITY)
    if found.content == []:
        return Part(note="Nothing to show: no held-out user chose and liked an item that day.")
    return found.then(
        lambda rows: {
            scenario: _evaluation([row for row in rows if row["scenario"] == scenario])
            for scenario in dict.fromkeys(row["scenario"] for row in rows)
        }
    )


def is_own(row: Row) -> bool:
    """Whether a row is of the lists of the model that was trained that night."""
    return row["model"] not in _OTHERS


def _evaluation(rows: list[Row]) -> ListEvaluation:
    known = dict.fromkeys(r["known"] for r in rows if r["metric"] == NDCG10.name)
    models = sorted(
        dict.fromkeys(row["model"] for row in rows),
        key=lambda name: _OTHERS.index(name) if name in _OTHERS else -1,
    )
    numbers = tuple(number for number in known if number != ANY_KNOWN)
    by_model = {name: [row for row in rows if row["model"] == name] for name in models}
    n_users = {row["known"]: row["n_users"] for row in rows}  # all methods have the same users
    return ListEvaluation(
        known=numbers,
        n_users=tuple(n_users[number] for number in numbers),
        n_users_of_mean=n_users[ANY_KNOWN],
        methods=tuple(_method(name, of, numbers) for name, of in by_model.items()),
    )


def _method(name: str, rows: list[Row], numbers: tuple[str, ...]) -> Method:
    at = {(row["metric"], row["known"]): row for row in rows}
    mean, most = at[NDCG10.name, ANY_KNOWN], numbers[-1]
    values, lows, highs = (
        tuple(at[NDCG10.name, number][column] for number in numbers)
        for column in ("value", "low", "high")
    )
    return Method(
        name=name,
        title=TITLES.get(name, name),
        is_own=is_own(rows[0]),
        mean=mean["value"],
        values=values,
        lows=lows,
        highs=highs,
        lead=None if mean["lead_low"] is None else (mean["lead_low"], mean["lead_high"]),
        coverage=at["coverage20", most]["value"],
        overlap=at["overlap10", most]["value"],
        novelty=at["novelty20", most]["value"],
    )
