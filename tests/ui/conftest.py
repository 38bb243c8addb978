"""Airflow as a person runs it, `make ui`, and a Chromium that looks at it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from local.airflow_api import AirflowApi
from local.processes import base_environment
from schemas.run.settings import REPOSITORY, Settings
from tests.e2e.conftest import Home

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = (  # a root without a sandbox, and a browser that calls nobody
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
START_SECONDS, NIGHT_SECONDS = 600, 1200  # far more than they take, for a busy machine
PAGE_MILLISECONDS = 120_000
expect.set_options(timeout=PAGE_MILLISECONDS)
UNTIL = date(1998, 4, 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    without = pytest.mark.skip(reason="needs a Chromium on PATH, and there is none")
    for item in items:
        if CHROMIUM is None and "ui" in Path(item.path).parts:
            item.add_marker(without)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running `make ui`."""

    process: subprocess.Popen[str]
    url: str
    password: str

    @property
    def api(self) -> AirflowApi:
        return AirflowApi(url=self.url, password=self.password)


@contextmanager
def serving(home: Home) -> Iterator[Server]:
    """`python -m local ui` until the block ends."""
    environment = base_environment() | {
        "COLDSTART_HOME": str(home.settings.home),
        "COLDSTART_SOURCE": str(home.settings.source),
    }
    said = home.settings.home / "ui.txt"
    home.settings.home.mkdir(exist_ok=True)
    with said.open("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "ui"],
            cwd=REPOSITORY,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            until(lambda: "Ctrl-C stops it" in said.read_text(), START_SECONDS, process)
            text = said.read_text()
            [url], [password] = (
                re.findall(pattern, text) for pattern in (r"at (http\S+)", r"admin with (\S+)")
            )
            yield Server(process=process, url=url, password=password)
        finally:
            process.terminate()
            process.wait(180)


def until(
    condition: Callable[[], object],
    timeout_seconds: float,
    process: subprocess.Popen[str] | None = None,
) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not _holds(condition):
        assert time.monotonic() < deadline, f"not within {timeout_seconds} s"
        assert process is None or process.poll() is None, "make ui ended"
        time.sleep(0.5)


def _holds(condition: Callable[[], object]) -> bool:
    """No, where a busy server does not answer in time."""
    try:
        return bool(condition())
    except (TimeoutError, urllib.error.URLError):
        return False


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, movielens: Path) -> Home:
    """An empty home, and a sixth of MovieLens-100K's users as its source."""
    folder = tmp_path_factory.mktemp("ui")
    settings = Settings.from_environment(
        {"COLDSTART_HOME": str(folder / "home"), "COLDSTART_SOURCE": str(folder / "source")}
    )
    made = Home(settings=settings, movielens=movielens)
    made.cut(until=UNTIL, every=6)
    return made


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def no_page_stays_open(browser: Browser) -> Iterator[None]:
    """Airflow's pages ask and draw for ever: an open one takes from the nights of later tests."""
    yield
    for context in browser.contexts:
        context.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: docs/images, when they shall be taken anew for the docs."""
    folder = os.environ.get("COLDSTART_PICTURES")
    return Path(folder).absolute() if folder else tmp_path


def log_in(browser: Browser, server: Server) -> Page:
    """A page of the admin's, at the DAG."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PAGE_MILLISECONDS)
    page.goto(server.url)
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name=re.compile("sign in", re.I)).click()
    expect(page.get_by_text("Welcome")).to_be_visible()
    page.goto(f"{server.url}/dags/coldstart_nightly")
    return page
