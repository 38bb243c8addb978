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
    rivals = [figures[name] for name in _RIVALS if name in figures]
    yield _not_behind(
        own, max(rivals, key=lambda row: float(row["value"])), "the best of its peers"
    )
    if CHAMPION in figures:
        yield _not_behind(own, figures[CHAMPION], "the last published model")


def _not_behind(own: Row, rival: Row, words: str) -> Rule:
    """Behind is a list whose lead is below 0 by more than chance explains."""
    low, high = rival["lead_low"], rival["lead_high"]
    lead = own["value"] - rival["value"]
    side = "behind" if lead < 0 else "ahead"
    return Rule(
        met=high >= 0,
        text=f"{DECISIVE_SCENARIO}: {NDCG10.title} of lists {NDCG10.text(own['value'])}, expected "
        f"not behind the {NDCG10.text(rival['value'])} of {rival['model']}, {words}: {side} by "
        f"{abs(lead):.4f} over {own['n_users']:,} users, 95% interval of the lead {low:+.4f} to "
        f"{high:+.4f}; with so many users the rule refuses a loss of more than {high - lead:.4f}",
        is_of_quality=True,
    )
