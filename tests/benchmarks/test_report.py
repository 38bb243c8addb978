"""The committed pages are what the committed records make."""

from __future__ import annotations

from benchmarks import report


def test_the_pages_are_made_of_the_records() -> None:
    made = report.pages(report.FOLDER)
    assert set(made) == {"throughput", "accuracy", "learners", "scaling"}
    for name, page in made.items():
        committed = (report.FOLDER / f"{name}.md").read_text()
        assert page == committed, f"docs/benchmarks/{name}.md: run python -m benchmarks.report"


def test_every_plot_a_page_shows_is_there() -> None:
    for page in report.pages(report.FOLDER).values():
        for line in page.splitlines():
            if line.startswith("!["):
                assert (report.FOLDER / line.split("(")[1].rstrip(")")).is_file(), line
