"""What a person wants to see at the end of a night, read from the warehouse as analysts read it."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from jobs.tools.summary import answers, quality
from jobs.tools.text_table import text_table
from jobs.warehouse import Connection, open_reader
from schemas.dataset import choice as dataset_choice
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.projections.arrow import most_frequent
from schemas.run import journal
from schemas.run.settings import Settings
from schemas.tables import lake as tables
from schemas.warehouse.uri import DUCKDB


def run(settings: Settings, ds: date) -> None:
    """Print the evidence items, three cold users, the metrics, and how to query them."""
    with open_reader(settings.warehouse) as warehouse:
        sections = list(_sections(settings, warehouse, ds))
    print("\n\n".join(sections))


def _sections(settings: Settings, warehouse: Connection, ds: date) -> Iterator[str]:
    gate = _gate(settings, warehouse, ds)
    yield answers.evidence(warehouse, ds)
    if evidence_quality := quality.of_evidence(warehouse, ds):
        yield evidence_quality
    yield answers.cold_users(settings, warehouse, ds)
    if lists := quality.of_lists(warehouse, ds):
        yield lists
    yield quality.of_ratings(warehouse, ds, dataset_choice.of_lake(settings.lake).feedback)
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
