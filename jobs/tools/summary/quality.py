"""How good the answers of a night are: the evidence items, the lists and the ratings."""

from __future__ import annotations

from datetime import date
from typing import Any

from jobs.tools.text_table import text_table
from jobs.warehouse import Connection
from schemas.dataset.spec import Feedback
from schemas.tables import metrics
from schemas.tables.lake import SCENARIOS
from schemas.tables.products import BASELINES, CHAMPION, LIST_ORDERS, LIST_PEERS

_JUDGED_LENGTH = 10
_KNOWN = ("0", "1", "3", "5", "10", "all")


def of_evidence(warehouse: Connection, ds: date) -> str | None:
    """What asking about the list is worth, beside others of its length."""
    rows = warehouse.rows(
        """
        SELECT list, n_users, n_revealed_mean, ndcg10_after, ndcg10_after_minus_popularity_low,
            ndcg10_after_minus_popularity_high, mae
        FROM coldstart.evidence_quality WHERE ds = $1 AND segment = 'all' AND length = $2
        ORDER BY ndcg10_after DESC, list
        """,
        ds,
        _JUDGED_LENGTH,
    )
    if not rows:
        return None
    header = ("list", "users", "rated", "nDCG@10", "over popularity from", "to", "MAE")
    about = (
        f"Recommendations of {ds} after held-out users were asked about {_JUDGED_LENGTH} items: "
        "nDCG@10"
    )
    return f"{about}\n\n" + text_table(header, rows)


def of_lists(warehouse: Connection, ds: date) -> str | None:
    """What the lists are worth, beside other methods'.

    To new users by their known interactions, and to existing users who come back on a later day.
    """
    cases = [("user_cold", known) for known in _KNOWN] + [("warm", "all")]
    cells = ", ".join(
        f"max(CASE WHEN scenario = ${place} AND known = ${place + 1} THEN {column} END)"
        for column in ("value", "n_users")
        for place in range(5, 5 + 2 * len(cases), 2)
    )
    found = warehouse.rows(
        f"SELECT model, {cells} "  # noqa: S608 - only placeholders
        "FROM coldstart.list_quality "
        "WHERE ds = $1 AND metric = $2 AND scenario IN ($3, $4) GROUP BY model",
        ds,
        metrics.NDCG10.name,
        "user_cold",
        "warm",
        *(value for case in cases for value in case),
    )
    if not found:
        return None
    others = [CHAMPION, *LIST_ORDERS, *LIST_PEERS]  # after the night's own lists

    def place(row: tuple[Any, ...]) -> int:
        return others.index(row[0]) if row[0] in others else -1

    ordered = sorted(found, key=place)
    end = 1 + len(cases)  # of the values, after which come the users
    users = ("users", *ordered[0][end:])  # all methods are judged on the same ones
    rows = [users, *(row[:end] for row in ordered)]
    header = ("lists of", *(f"{known} known" for known in _KNOWN), "come back")
    about = (
        f"Lists of {ds}: {metrics.NDCG10.title} for new users by known interactions, and for users "
        "who come back"
    )
    return f"{about}\n\n" + text_table(header, rows)


def of_ratings(warehouse: Connection, ds: date, feedback: Feedback) -> str:
    """Metrics by scenario and model, the night's own first; names the scenarios without tasks."""
    shown = metrics.shown(feedback)
    values = ", ".join(
        f"max(CASE WHEN metric = ${place} THEN value END)" for place in range(2, len(shown) + 2)
    )
    found = warehouse.rows(
        f"SELECT scenario, model, max(n_tasks), {values} "  # noqa: S608 - only placeholders
        "FROM coldstart.model_metrics WHERE ds = $1 GROUP BY scenario, model",
        ds,
        *(metric.name for metric in shown),
    )
    others = (CHAMPION, *BASELINES)  # after the night's own model

    def place(row: tuple[Any, ...]) -> tuple[int, int]:
        return SCENARIOS.index(row[0]), others.index(row[1]) if row[1] in others else -1

    rows = sorted(found, key=place)
    header = ("scenario", "model", "tasks", *(metric.title for metric in shown))
    without = [name for name in SCENARIOS if name not in {row[0] for row in rows}]
    note = f"\n  no tasks that day: {', '.join(without)}" if without else ""
    return f"Quality on held-out tasks of {ds}\n\n" + text_table(header, rows) + note
