"""Both answers of a night: the evidence items, and the lists of a few cold users."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.tools.text_table import text_table
from jobs.warehouse import Connection
from schemas.dataset import choice as dataset_choice
from schemas.lake import Lake
from schemas.projections.arrow import read_batches
from schemas.run.settings import Settings
from schemas.tables import lake as tables

_TOP_ITEMS = 10
_USERS = 3
_TOP_SCORES = 5


def evidence(warehouse: Connection, ds: date) -> str:
    """The first ranks of everyone's list, as a text table under its title."""
    rows = warehouse.rows(
        """
        SELECT rank, coalesce(title, item_id), expected_gain, answer_rate, redundancy,
            n_interactions
        FROM coldstart.evidence_items WHERE ds = $1 AND segment = 'all' ORDER BY rank LIMIT $2
        """,
        ds,
        _TOP_ITEMS,
    )
    header = ("rank", "title", "gain up to here", "rated it", "redundancy", "interactions")
    about = (
        f"Evidence items of {ds}: show these to new users "
        "(rated it: share of existing users, at first)"
    )
    return f"{about}\n\n" + text_table(header, rows, wide="title")


def cold_users(settings: Settings, warehouse: Connection, ds: date) -> str:
    """The first ranks of some adapted and not adapted users, as text tables under one title."""
    users = _example_users(warehouse, ds)
    if not users:
        return f"Cold users of {ds}: none that day"
    parts = [f"Cold users of {ds}: {len(users)} examples and what they will choose and like"]
    sql = """
        SELECT rank, item_id, p_like, score, score_low, score_high FROM coldstart.cold_user_scores
        WHERE ds = $1 AND user_id = $2 ORDER BY rank LIMIT $3
    """
    scores = {user_id: warehouse.rows(sql, ds, user_id, _TOP_SCORES) for user_id, *_ in users}
    titles = _titles(settings, ds, {row[1] for rows in scores.values() for row in rows})
    for user_id, n_support, adapted in users:
        rows = [
            (rank, titles.get(item_id) or item_id, *figures)
            for rank, item_id, *figures in scores[user_id]
        ]
        how = "adapted to them" if adapted else "too few to adapt: unadapted model"
        header = ("rank", "title", "p_like", "score", "80% from", "to")
        table = text_table(header, rows, wide="title")
        support = f"{n_support} interaction{'' if n_support == 1 else 's'}"
        parts.append(f"  user {user_id}, {support}, {how}\n{table}")
    return "\n\n".join(parts)


def _example_users(warehouse: Connection, ds: date) -> list[tuple[Any, ...]]:
    """Adapted and not adapted users in turn, those with the most interactions first."""
    return warehouse.rows(
        """
        WITH users AS (
            SELECT user_id, max(n_support) AS n_support, bool_or(adapted) AS adapted
            FROM coldstart.cold_user_scores WHERE ds = $1 GROUP BY user_id
        )
        SELECT user_id, n_support, adapted FROM users
        ORDER BY row_number() OVER (PARTITION BY adapted ORDER BY n_support DESC, user_id),
            adapted DESC
        LIMIT $2
        """,
        ds,
        _USERS,
    )


def _titles(settings: Settings, ds: date, items: set[str]) -> dict[str, str | None]:
    lake, spec = Lake(root=settings.lake), dataset_choice.of_lake(settings.lake)
    table = tables.item_profiles(spec)
    partition = lake.require(table.name, ds)
    titles: dict[str, str | None] = {}
    wanted = pa.array(sorted(items))
    for batch in read_batches(table, partition, ["item_id", "title"]):
        found = batch.filter(pc.is_in(batch["item_id"], value_set=wanted))
        titles.update(zip(*(column.to_pylist() for column in found.columns), strict=True))
    return titles
