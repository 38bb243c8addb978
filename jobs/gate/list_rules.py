"""The gate's rules on lists: what recommended lists must be worth to new users.

The intervals are of paired differences over the users of the day (`list_quality` has them:
meta_model/evaluation/list_quality.py), so that a rule says how large a loss it would have refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from jobs.gate.rules import DECISIVE_SCENARIO, Row, Rule
from schemas.tables.metrics import NDCG10
from schemas.tables.products import ANY_KNOWN, CHAMPION

_RIVALS = ("popularity", "recent_popularity", "segment_popularity", "item_knn")
_ENOUGH_USERS = 30  # the lists of fewer differ by chance more than methods do


def list_rules(rows: list[Row], model: str) -> Iterator[Rule]:
    """The rules that the `model`'s lists have to meet, from the rows of list_quality."""
    decisive = (DECISIVE_SCENARIO, ANY_KNOWN, NDCG10.name)
    figures = {
        row["model"]: row
        for row in rows
        if (row["scenario"], row["known"], row["metric"]) == decisive
    }
    own = figures.get(model)
    if own is None or own["n_users"] < _ENOUGH_USERS:
        n_users = 0 if own is None else own["n_users"]
        yield Rule(
            met=True,
            text=f"{DECISIVE_SCENARIO}: lists of {n_users} users, too few to judge "
            f"(expected at least {_ENOUGH_USERS})",
        )
        return
    yield _not_behind_peers(own, [figures[name] for name in _RIVALS if name in figures])
    if CHAMPION in figures:
        yield _not_behind_champion(own, figures[CHAMPION])


def _not_behind_peers(own: Row, rivals: list[Row]) -> Rule:
    """Each rival has an interval of its own: the best of them is not always the surest to lead."""
    ahead = [row for row in rivals if _is_ahead(row)]
    compared = f"not behind any of the {len(rivals)} methods that the gate compares with"
    if ahead:
        names = " and ".join(row["model"] for row in ahead)
        verdict = f"expected {compared}, and behind {names} by more than chance explains"
    else:
        verdict = compared
    shown = ahead or sorted(rivals, key=lambda row: float(row["lead_high"]))[:1]
    return Rule(
        met=not ahead,
        text="; ".join([f"{_own(own)}, {verdict}", *(_lead(own, row) for row in shown)]),
        is_of_quality=True,
    )


def _not_behind_champion(own: Row, champion: Row) -> Rule:
    return Rule(
        met=not _is_ahead(champion),
        text=f"{_own(own)}, expected not behind the last published model; {_lead(own, champion)}",
        is_of_quality=True,
    )


def _is_ahead(rival: Row) -> bool:
    """Whether our lead is below 0 by more than chance explains; also where it is no number."""
    return not rival["lead_high"] >= 0


def _own(own: Row) -> str:
    value = NDCG10.text(own["value"])
    return f"{DECISIVE_SCENARIO}: {NDCG10.title} of lists {value} over {own['n_users']:,} users"


def _lead(own: Row, rival: Row) -> str:
    """Our lead over a rival in words, and how large a loss the rule refuses with so many users."""
    lead, low, high = own["value"] - rival["value"], rival["lead_low"], rival["lead_high"]
    return (
        f"{'behind' if lead < 0 else 'ahead of'} the {NDCG10.text(rival['value'])} of "
        f"{rival['model']} by {abs(lead):.4f}, 95% interval of the lead {low:+.4f} to {high:+.4f}, "
        f"so that the rule refuses a loss of more than {high - lead:.4f}"
    )
