"""What a person wants to see at the end of a night, read from the warehouse as analysts read it."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.tools.text_table import text_table
from jobs.warehouse import Connection, open_reader
from schemas.dataset import choice as dataset_choice
from schemas.dataset.spec import Feedback
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.projections.arrow import most_frequent, read_batches
from schemas.run import journal
from schemas.run.settings import Settings
from schemas.tables import lake as tables
from schemas.tables import metrics
from schemas.tables.lake import SCENARIOS
from schemas.tables.products import BASELINES, CHAMPION, LIST_ORDERS, LIST_PEERS
from schemas.warehouse.uri import DUCKDB

_TOP_ITEMS = 10
_JUDGED_LENGTH = 10
_USERS = 3
_TOP_SCORES = 5
_KNOWN = ("0", "1", "3", "5", "10", "all")


def run(settings: Settings, ds: date) -> None:
    """Print the evidence items, three cold users, the metrics, and how to query them."""
    with open_reader(settings.warehouse) as warehouse:
        sections = list(_sections(settings, warehouse, ds))
    print("\n\n".join(sections))


def _sections(settings: Settings, warehouse: Connection, ds: date) -> Iterator[str]:
    gate = _gate(settings, warehouse, ds)
    yield _evidence(warehouse, ds)
    if quality := _quality(warehouse, ds):
        yield quality
    yield _cold_users(settings, warehouse, ds)
    if lists := _lists(warehouse, ds):
        yield lists
    yield _metrics(warehouse, ds, dataset_choice.of_lake(settings.lake).feedback)
    if not gate.startswith("passed"):
        yield f"Gate\n\n  {gate}"
    if quarantined := _quarantined(settings, ds):
        yield quarantined
    if warnings := _warnings(settings, ds):
        yield "Warnings\n\n" + "\n".join(f"  {warning}" for warning in warnings)
    yield _how_to_query(settings)


def _gate(settings: Settings, warehouse: Connection, ds: date) -> str:
    found = warehouse.rows("SELECT gate FROM coldstart.publications WHERE ds = $1", ds)
    if not found:
        raise UserError(
            f"ds {ds} is not published in {settings.warehouse}; run make nightly DS={ds} first."
        )
    return str(found[0][0])


def _evidence(warehouse: Connection, ds: date) -> str:
    rows = warehouse.rows(
        """
        SELECT rank, coalesce(title, item_id), expected_gain, answer_rate, redundancy,
            n_interactions
        FROM coldstart.evidence_items WHERE ds = $1 AND segment = 'all' ORDER BY rank LIMIT $2
        """,
        ds,
        _TOP_ITEMS,
    )
    header = ("rank", "title", "gain up to here", "can answer", "redundancy", "interactions")
    return f"Evidence items of {ds}: show these to new users\n\n" + text_table(
        header, rows, wide="title"
    )


def _quality(warehouse: Connection, ds: date) -> str | None:
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
    header = ("list", "users", "answers", "nDCG@10", "over popularity from", "to", "MAE")
    about = (
        f"Recommendations of {ds} after held-out users were asked about {_JUDGED_LENGTH} items: "
        "nDCG@10"
    )
    return f"{about}\n\n" + text_table(header, rows)


def _cold_users(settings: Settings, warehouse: Connection, ds: date) -> str:
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
        how = "adapted to them" if adapted else "too few to adapt: global model"
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


def _lists(warehouse: Connection, ds: date) -> str | None:
    """What the lists are worth to new users, beside other methods', by known interactions."""
    values = ", ".join(
        f"max(CASE WHEN known = ${place} THEN value END)" for place in range(4, len(_KNOWN) + 4)
    )
    found = warehouse.rows(
        f"SELECT model, max(n_users), {values} FROM coldstart.list_quality "  # noqa: S608 - only placeholders
        "WHERE ds = $1 AND scenario = $2 AND metric = $3 GROUP BY model",
        ds,
        "user_cold",
        metrics.NDCG10.name,
        *_KNOWN,
    )
    if not found:
        return None
    others = [CHAMPION, *LIST_ORDERS, *LIST_PEERS]  # after the night's own lists

    def place(row: tuple[Any, ...]) -> int:
        return others.index(row[0]) if row[0] in others else -1

    rows: list[tuple[Any, ...]] = sorted(found, key=place)
    header = ("lists of", "users", *(f"{known} known" for known in _KNOWN))
    about = f"Lists for new users of {ds}: {metrics.NDCG10.title} of the whole catalogue"
    return f"{about}\n\n" + text_table(header, rows)


def _metrics(warehouse: Connection, ds: date, feedback: Feedback) -> str:
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


def _quarantined(settings: Settings, ds: date) -> str | None:
    table = tables.INTERACTIONS_QUARANTINE
    partition = Lake(root=settings.lake).require(table.name, ds)
    rows = most_frequent(table, partition, "reason")
    if not rows:
        return None
    return "Source rows set aside\n\n" + text_table(("reason", "rows"), rows)


def _warnings(settings: Settings, ds: date) -> list[str]:
    """What the last run of each check found strange, and let pass."""
    entries = journal.read(settings.journals, ds)
    latest = {entry["step"]: entry for entry in entries if entry["event"] == "finished"}
    return [warning for entry in latest.values() for warning in entry.get("warnings", ())]


def _how_to_query(settings: Settings) -> str:
    sql = (
        "SELECT rank, title, expected_gain FROM coldstart.latest_evidence_items "
        "WHERE segment = 'all' ORDER BY rank"
    )
    python, warehouse = _short(Path(sys.executable)), settings.warehouse
    if warehouse.engine == DUCKDB:
        path, query = json.dumps(str(_short(warehouse.path))), json.dumps(sql)
        code = f"import duckdb; duckdb.connect({path}, read_only=True).sql({query}).show()"
        command = f"{python} -c {shlex.quote(code)}"
    else:
        command = f"{python} -m jobs query {shlex.quote(sql)}"
    return f"Warehouse: {warehouse}\n\n  {command}"


def _short(path: Path) -> Path:
    """Relative to the working folder where that is shorter to read and to paste."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
