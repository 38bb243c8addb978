"""How the lists' nDCG@10 moved in 30 days, beside the simpler methods that are hardest to beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from jobs.report.night import Night, Part
from jobs.report.sections.history import Figures, History
from jobs.report.sections.lists import is_own
from schemas.tables.metrics import NDCG10
from schemas.tables.products import ANY_KNOWN, LIST_QUALITY, LIST_SCENARIOS

PEERS = ("popularity", "item_knn")


@dataclass(frozen=True, kw_only=True)
class ListCourse:
    """One scenario, day by day; None where no night ran, or none had such users.

    own, lows, highs: each day's own model, and the 95% interval; peers: by name
    """

    own: Figures
    lows: Figures
    highs: Figures
    peers: Mapping[str, Figures]


@dataclass(frozen=True, kw_only=True)
class ListHistory:
    """`days` ends with ds; `courses` are of the scenarios that any of the days has.

    model: the name of the night's own; unreadable: days whose figures other code wrote
    """

    model: str
    days: tuple[date, ...]
    courses: Mapping[str, ListCourse]
    unreadable: tuple[date, ...]


def list_history(night: Night) -> Part[ListHistory]:
    """Nothing, and no note of its own, where the lists of the night itself are missing."""
    rows = night.rows(LIST_QUALITY).content
    if not rows:
        return Part()
    means = History.of(night, LIST_QUALITY).only(known=ANY_KNOWN, metric=NDCG10.name)
    found = {scenario: means.only(scenario=scenario) for scenario in LIST_SCENARIOS}
    return Part(
        content=ListHistory(
            model=next(row["model"] for row in rows if is_own(row)),
            days=means.days,
            courses={
                scenario: _course(history)
                for scenario, history in found.items()
                if any(history.rows_of.values())
            },
            unreadable=means.unreadable,
        )
    )


def _course(history: History) -> ListCourse:
    own = history.where(is_own)
    return ListCourse(
        own=own.figures("value"),
        lows=own.figures("low"),
        highs=own.figures("high"),
        peers={peer: history.only(model=peer).figures("value") for peer in PEERS},
    )
