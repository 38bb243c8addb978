"""The committed pages are what the committed records make."""

from __future__ import annotations

from benchmarks import report


def test_the_pages_are_made_of_the_records() -> None:
    made = report.pages(report.FOLDER)
    # There are no records of a GPU as long as none was at hand.
    assert set(report.PAGES) - set(made) <= {"gpu"}
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


def test_a_list_is_better_where_its_interval_leaves_out_0() -> None:
    nothing = {
        f"{metric}_minus_{other}_{end}": 0.0
        for metric in ("mae", "ndcg10_after")
        for other in ("popularity", "nothing")
        for end in ("low", "high")
    }
    shared = {
        "dataset": "ml-1m", "new_users": "3 folds", "repeats": 5, "length": 10, "n_users": 1_200,
        "learner": "maml",
        "n_revealed_mean": 3.25, "mae": 0.75, "rmse": 0.95, "ndcg10_after": 0.2,
        "recall20_after": 0.3, "machine": "2 x CPU", "date": "2026-01-31",
    }  # fmt: skip
    more = {
        "ndcg10_after_minus_popularity_low": 0.01,
        "ndcg10_after_minus_popularity_high": 0.02,
        "ndcg10_after_minus_nothing_low": -0.01,
        "ndcg10_after_minus_nothing_high": 0.03,
    }
    ours = {"list": "evidence", **shared, **nothing, **more}
    page = report.PAGES["evidence"]([{"list": "random", **shared, **nothing}, ours])
    assert "## ml-1m, 3 folds, 5 times\n\nThe learner of ratings is `maml`.\n" in page
    assert "Lists of 10, 1,200 new users. " in page
    assert "Better than popularity in nDCG@10: `evidence`." in page
    assert "Better than popularity in MAE: none." in page
    row = "| evidence | 3.25 | 0.2000 | [+0.0100, +0.0200] | [-0.0100, +0.0300] | 0.3000 | 0.7500 "
    assert f"{row}| [+0.0000, +0.0000] | 0.9500 |" in page
    assert "by how many items" not in page
    groups = [
        {"answers_from": 0, "answers_below": 1, "n_users": 500, "ndcg10_after": 0.1,
         "after_popularity": 0.15, "after_nothing": 0.12, "low": -0.06, "high": -0.04},
        {"answers_from": 6, "answers_below": None, "n_users": 700, "ndcg10_after": 0.25,
         "after_popularity": 0.2, "after_nothing": 0.1, "low": 0.01, "high": 0.09},
    ]  # fmt: skip
    page = report.PAGES["evidence"]([ours | {"by_answers": groups}])
    assert "| 10 | 0 | 500 | 0.1000 | 0.1500 | [-0.0600, -0.0400] | 0.1200 |" in page
    assert "| 10 | 6+ | 700 | 0.2500 | 0.2000 | [+0.0100, +0.0900] | 0.1000 |" in page
