"""Airflow's dialog for a backfill, filled in as a person does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from playwright.sync_api import Browser, Locator, Page, expect

from jobs.warehouse import open_reader
from tests.e2e.conftest import Home
from tests.ui.conftest import Server, log_in


def open_dialog(browser: Browser, server: Server, first: date, last: date) -> tuple[Page, Locator]:
    """The dialog for the days from `first` to `last`."""
    page = log_in(browser, server)
    page.get_by_role("button", name=re.compile("^Trigger")).first.click()
    page.get_by_text("Run this Dag for a range of dates").click()
    dialog = page.get_by_role("dialog").first
    _fill_date(page, 0, first)
    _fill_date(page, 1, last)
    expect(dialog).to_contain_text(f"{(last - first).days + 1} runs will be triggered")
    return page, dialog


def run_backfill(page: Page, dialog: Locator, epochs: int, seen: Callable[[], object]) -> None:
    """A few users decide nothing by figures, and few epochs are enough: these tests are about days.

    seen: called when all is filled in
    """
    dialog.get_by_text("Override parameters on existing runs").click()
    field = "[name=element_epochs], #number-input\\:element_epochs input"
    dialog.locator(field).first.fill(str(epochs))
    gate = dialog.locator("[data-scope=field]", has_text="Which model is published")
    gate.get_by_role("combobox").click()
    page.get_by_text("challenger: publish the new model").click()
    dialog.get_by_text("Publish", exact=False).last.scroll_into_view_if_needed()
    seen()
    dialog.get_by_role("button", name="Run Backfill").click()


def _fill_date(page: Page, place: int, day: date) -> None:
    page.get_by_test_id("datetime-input").nth(place).click()
    picker = page.locator("[data-scope=popover][data-part=content]:visible")
    picker.get_by_placeholder("YYYY/MM/DD").fill(f"{day:%Y/%m/%d}")
    picker.get_by_placeholder("HH:mm").fill("00:00")
    page.keyboard.press("Escape")
    expect(picker).to_have_count(0)  # it fades out; the next one opens alone


def published(home: Home) -> list[tuple[date, int]]:
    """Each ds that the warehouse holds, and how many rows of evidence items."""
    if not home.settings.warehouse.path.exists():
        return []
    sql = """
        SELECT p.ds, count(e.rank) FROM coldstart.publications p
        LEFT JOIN coldstart.evidence_items e ON e.ds = p.ds AND e.segment = 'all'
        GROUP BY p.ds ORDER BY p.ds
    """
    with open_reader(home.settings.warehouse) as connection:
        return [(ds, n) for ds, n in connection.rows(sql)]
