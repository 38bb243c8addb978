"""The elicitation simulation: what asking new users about our list is worth beside other lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jobs.report.night import Night, Part, Row
from jobs.report.numbers import signed
from jobs.report.sections.evidence import EVERYONE
from schemas.tables.products import EVIDENCE_LISTS, EVIDENCE_QUALITY

_REFERENCE = "popularity"
TITLES = {
    "evidence": "our list",
    "evidence_correlation": "by each item's correlation",
    "evidence_paper": "by MeLU's formula",
    "evidence_robust": "by the gradient of the prediction",
    "popularity": "popularity",
    "entropy": "entropy",
    "popularity_x_entropy": "popularity \N{MULTIPLICATION SIGN} entropy",
    "helf": "entropy and log frequency (HELF)",
    "random": "random",
    "nothing": "nothing asked",
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The outcome of one list.

    difference: its nDCG@10 minus popularity's, with the 95% interval from `low` to `high`

    n_known: how many of its items a user had rated, on average
    ndcg10: of the recommendations that follow
    """

    name: str
    title: str
    is_ours: bool
    is_reference: bool
    n_known: float
    ndcg10: float
    mae: float
    difference: float
    low: float
    high: float

    @property
    def beside_popularity(self) -> str:
        """The difference and its interval, as text."""
        low, high = signed(self.low), signed(self.high)
        return f"{signed(self.difference)} [{low}, {high}]"


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Lists of one length, judged on the same users and the same ratings."""

    length: int
    n_users: int
    lists: tuple[Asked, ...]


Contests = Mapping[str, tuple[Contest, ...]]  # by segment, everyone's first; short lists first


def elicitation(night: Night) -> Part[Contests]:
    """The contests by segment; a note instead for implicit feedback or without users to ask."""
    if night.feedback == "implicit":
        return Part(
            note="There is no simulation for implicit feedback: users do not rate items, so their "
            "answers are not known."
        )
    found = night.rows(EVIDENCE_QUALITY)
    if found.content == []:
        return Part(note="Nothing to show: no held-out new user could be asked that day.")
    return found.then(_contests)


def reach(contests: Iterable[Contest]) -> float:
    """The largest distance of an interval's end from 0: the scale of all drawn intervals."""
    lists = [asked for contest in contests for asked in contest.lists]
    bounds = (bound for asked in lists for bound in (asked.low, asked.difference, asked.high))
    return max(map(abs, bounds), default=0.0)


def _contests(rows: list[Row]) -> Contests:
    segments = sorted({row["segment"] for row in rows}, key=lambda name: (name != EVERYONE, name))
    return {
        segment: tuple(
            _contest([r for r in rows if r["segment"] == segment and r["length"] == length])
            for length in sorted({r["length"] for r in rows if r["segment"] == segment})
        )
        for segment in segments
    }


def _contest(rows: list[Row]) -> Contest:
    ordered = sorted(rows, key=lambda row: EVIDENCE_LISTS.index(row["list"]))
    reference = next(row["ndcg10_after"] for row in rows if row["list"] == _REFERENCE)
    return Contest(
        length=rows[0]["length"],
        n_users=rows[0]["n_users"],
        lists=tuple(
            Asked(
                name=row["list"],
                title=TITLES[row["list"]],
                is_ours=row["list"] == "evidence",
                is_reference=row["list"] == _REFERENCE,
                n_known=row["n_revealed_mean"],
                ndcg10=row["ndcg10_after"],
                mae=row["mae"],
                difference=row["ndcg10_after"] - reference,
                low=row["ndcg10_after_minus_popularity_low"],
                high=row["ndcg10_after_minus_popularity_high"],
            )
            for row in ordered
        ),
    )
