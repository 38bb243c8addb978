"""The report as a person opens it: in Chromium, on a desk and on a phone, in light and in dark."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from jobs.report.sections.operation import file_of
from tests.jobs.conftest import night
from tests.jobs.engines import engine, warehouse_uri
from tests.jobs.night import DS, Night
from tests.jobs.report import nights

__all__ = ["engine", "night", "warehouse_uri"]  # fixtures

Scheme = Literal["light", "dark"]

_LONG_TITLE = "A title without end, " * 20 + "unbroken" * 60


@pytest.fixture(params=["published", "stopped"])
def file(request: pytest.FixtureRequest, night: Night) -> Path:
    """The report of a night with a past and awkward texts, or of one that stopped at its start."""
    for days in (1, 2, 5, 29):
        earlier = Night(night.settings, ds=DS - timedelta(days=days))
        earlier.write("model_metrics", "evidence_items")
    night.rows["evidence_items"][0].update(title=_LONG_TITLE)
    nights.complete(night)
    if request.param == "stopped":
        night.ds = DS + timedelta(days=40)
        nights.tell(night, nights.failure("ingest", night.ds, 0, _LONG_TITLE))
    nights.report(night)
    return file_of(night.settings, night.ds)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_shows_well(
    browser: Browser, file: Path, width: int, scheme: Scheme, tmp_path: Path
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
    page.on("request", lambda r: None if r.url == file.as_uri() else troubles.append(r.url))
    page.goto(file.as_uri())
    for details in page.locator("details").all():
        details.locator("summary").click()
    screenshot = page.screenshot(full_page=True, path=tmp_path / f"{width}-{scheme}.png")
    assert len(screenshot) > 10_000
    assert troubles == []
    assert page.evaluate("document.documentElement.scrollWidth") == width, "it scrolls sideways"
    assert _least_contrast(page) >= 4.5
    page.close()


def _least_contrast(page: Page) -> float:
    """The least contrast (WCAG 2, 1.4.3) of a text on the page's own ground."""
    least: float = page.evaluate(
        """() => {
          const channels = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
          const light = text => channels(text)
            .map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
          const ground = light(getComputedStyle(document.body).backgroundColor);
          const contrasts = [...document.querySelectorAll("body *")]
            .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
            .map(e => getComputedStyle(e))
            .map(style => light(style.color))
            .map(l => (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05));
          return Math.min(...contrasts);
        }"""
    )
    return least


def test_a_wide_table_scrolls_in_its_own_box_by_keyboard(browser: Browser, file: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(file.as_uri())
    box = page.locator(".scroll").filter(has_text="rows in").first
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    box.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("box => box.scrollLeft > 0", arg=box.element_handle())
    page.close()


def test_the_colours_follow_the_reader(browser: Browser, file: Path) -> None:
    grounds = []
    schemes: list[Scheme] = ["light", "dark"]
    for scheme in schemes:
        page = browser.new_page(color_scheme=scheme)
        page.goto(file.as_uri())
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert grounds == ["rgb(253, 253, 252)", "rgb(21, 24, 28)"]
