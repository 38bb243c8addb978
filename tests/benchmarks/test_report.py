"""The committed pages are what the committed records make."""

from __future__ import annotations

from benchmarks import report


def test_the_pages_are_made_of_the_records() -> None:
    made = report.pages(report.FOLDER)
    assert set(made) == set(report.PAGES)
    for name, page in made.items():
        committed = (report.FOLDER / f"{name}.md").read_text()
        assert page == committed, f"docs/benchmarks/{name}.md: run python -m benchmarks.report"


def test_every_plot_a_page_shows_is_there() -> None:
    for page in report.pages(report.FOLDER).values():
        for line in page.splitlines():
            if line.startswith("!["):
                assert (report.FOLDER / line.split("(")[1].rstrip(")")).is_file(), line


def test_a_figure_that_there_is_not_is_a_dash() -> None:
    record = {
        "mode": "full night features", "interactions": 1_000_000, "seconds": 61.5,
        "reference_seconds": None, "ratio": None, "peak_driver_mib": 2_048,
        "machine": "2 x CPU", "date": "2026-01-31",
    }  # fmt: skip
    row = "| full night features | 1,000,000 | 61.5 | - | - | 2,048 |"
    assert row in report.PAGES["features"]([record]).splitlines()
