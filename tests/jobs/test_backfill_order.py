"""Days published in any order, some of them twice, are the days published one after the other."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from jobs.warehouse.connection import opened
from schemas.tables.products import PRODUCTS, WAREHOUSE_TABLES
from schemas.warehouse.uri import DUCKDB, WarehouseUri
from schemas.warehouse.views import VIEWS
from tests.jobs.engines import both_engines, database, outside_transactions
from tests.jobs.night import DS, Night

DAYS = [DS + timedelta(days=n) for n in range(8)]
MOMENTS = {"data_read_at", "made_at", "published_at"}
SEEN = (*WAREHOUSE_TABLES, *(view.table for view in VIEWS))


@pytest.fixture
def other_uri(engine: str, warehouse_uri: WarehouseUri, tmp_path: Path) -> WarehouseUri:
    """A second warehouse, as empty as the first."""
    if engine == DUCKDB:
        return WarehouseUri.of_file(tmp_path / "other.duckdb")
    name = f"{warehouse_uri.text.split('?')[0].rpartition('/')[2]}_other"
    outside_transactions(warehouse_uri, f"CREATE DATABASE {name}")
    return database(warehouse_uri, name)


def _publish(night: Night, day: date, *, version: int = 2) -> None:
    """What the day's data gives, whenever it runs: its own list, scores and number of users."""
    night.ds, number = day, day.toordinal()
    night.version = str(version)
    run_id = f"{day}.melu.{version}"
    users = 2 + number % 3
    template = night.rows["cold_user_scores"][0]
    night.rows["cold_user_scores"] = [
        {**template, "user_id": f"u{user}", "rank": 1, "item_id": f"i{number % 4}"}
        for user in range(users)
    ]
    for place, row in enumerate(night.rows["evidence_items"]):
        row["item_id"] = f"i{(number * version + place) % 5}"
    for product in PRODUCTS:
        for row in night.rows[product.name]:
            row["run_id"] = run_id
    night.publish()


def _seen(night: Night) -> dict[str, list[tuple]]:
    found = {}
    for table in SEEN:
        columns = ", ".join(name for name in table.column_names if name not in MOMENTS)
        found[table.name] = sorted(
            night.ask(f"SELECT {columns} FROM coldstart.{table.name}"), key=str
        )
    return found


@pytest.mark.usefixtures("long")
@both_engines
def test_days_in_any_order(night: Night, other_uri: WarehouseUri) -> None:
    for day in DAYS:
        _publish(night, day)
    in_order = _seen(night)
    assert len(in_order["publications"]) == len(DAYS)
    assert len(in_order["evidence_changes"]) > len(DAYS) - 1
    night.settings = replace(night.settings, warehouse=other_uri)
    order = DAYS.copy()
    random.Random(7).shuffle(order)
    assert order[-1] != DAYS[-1]
    for day in order:
        _publish(night, day)
    assert _seen(night) == in_order
    for day in order[:3]:  # an older version, then again what the day gives
        _publish(night, day, version=1)
        assert _seen(night) != in_order
        _publish(night, day)
    again = _seen(night)
    revised = {row[0] for row in again["publications"] if row not in in_order["publications"]}
    assert revised == set(order[:3]), "they say that they were revised"
    del again["publications"], in_order["publications"]
    assert again == in_order
    with opened(other_uri) as connection:
        [(latest,)] = connection.rows("SELECT DISTINCT ds FROM coldstart.latest_evidence_items")
    assert latest == DAYS[-1]
