"""Three days by Airflow's backfill dialog in a real browser: what the pictures of the docs show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, expect

from jobs.warehouse import open_reader
from tests.e2e.conftest import Home
from tests.ui.conftest import NIGHT_SECONDS, Server, serving, until
from tests.ui.dialog import open_dialog, published, run_backfill

DAYS = [date(1998, 3, 29) + timedelta(days=n) for n in range(3)]


@pytest.fixture(scope="module")
def server(home: Home) -> Iterator[Server]:
    with serving(home) as server:
        yield server


@pytest.mark.longest  # three nights; test_backfill.py has two
@pytest.mark.timeout(4 * NIGHT_SECONDS)
def test_three_days_by_the_backfill_dialog(
    browser: Browser, server: Server, home: Home, pictures: Path
) -> None:
    page, dialog = open_dialog(browser, server, DAYS[0], DAYS[-1])
    page.screenshot(path=pictures / "backfill-dialog.png")
    picture = pictures / "backfill-parameters.png"
    run_backfill(page, dialog, 2, lambda: page.screenshot(path=picture))

    def ended() -> bool:
        states = server.api.run_states(DAYS[0], DAYS[-1])
        assert "failed" not in states.values(), states
        return list(states.values()) == ["success"] * 3

    until(ended, 3 * NIGHT_SECONDS, server.process)
    assert published(home) == [(day, 20) for day in DAYS]
    with open_reader(home.settings.warehouse) as connection:
        gates = connection.rows("SELECT gate FROM coldstart.publications ORDER BY ds")
    assert all(re.match("passed|chosen by hand", gate) for (gate,) in gates)

    page.set_viewport_size({"width": 1600, "height": 900})  # the grid's pane has a share of it
    page.goto(f"{server.url}/dags/coldstart_nightly")
    expect(page.get_by_text("meta_train").first).to_be_visible()
    expect(page.get_by_text("Backfill in progress")).to_have_count(0, timeout=120_000)
    page.wait_for_timeout(2_000)  # its charts are animated
    page.screenshot(path=pictures / "grid.png")
    page.get_by_label(re.compile("graph", re.I)).first.click()
    expect(page.locator(".react-flow__node").first).to_be_visible()
    page.wait_for_timeout(2_000)
    page.screenshot(path=pictures / "graph.png")

    run_id = quote(server.api.run_ids(DAYS[-1], DAYS[-1])[DAYS[-1]], safe="")
    page.goto(f"{server.url}/dags/coldstart_nightly/runs/{run_id}/tasks/report/details")
    button = page.get_by_role("link", name="Report", exact=True)
    expect(button).to_be_visible()
    report = page.context.new_page()
    report.goto(server.url + (button.get_attribute("href") or ""))
    expect(report.get_by_role("heading", level=1)).to_contain_text(f"Night of {DAYS[-1]}")
