"""The page: the tables' figures, text that stays text, and a page that stands alone."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from jobs import __main__ as command_line
from schemas.run import journal
from tests.jobs.night import DS, Night
from tests.jobs.report import nights
from tests.jobs.report.pages import parsed

NOTHING, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
HOSTILE = {
    "script": "<script>alert('x')</script>",
    "attribute": '" onmouseover="alert(1)',
    "template": "{{ 7 * 7 }}{% raw %}",
    "entity": "&lt;b&gt; & <b>bold</b>",
    "closing": "</td></table></main><h1>Published</h1>",
    "style": "</style><style>body { display: none }</style>",
    "comment": "<!-- --><![CDATA[",
}


def test_the_figures_are_those_of_the_tables(night: Night) -> None:
    night.rows["evidence_items"][1].update(expected_gain=0.1234, n_interactions=54321)
    for row in night.rows["list_quality"]:
        row["n_users"] -= row["known"] == "all"
    nights.complete(night)
    page = parsed(nights.report(night))
    evidence = page.tables["2 items for everyone, in the order to ask them"]
    assert evidence[0][2:4] == ["gain up to here", "existing users who rated it at first"]
    assert evidence[1:] == [
        ["1", "Film 1", "+0.0100", "25%", "0%", "2", NOTHING],
        ["2", "Film 2", "+0.1234", "25%", "10%", "54,321", NOTHING],
    ]
    assert "Covers: 1 of 1 values of release_year , 1 of 1 values of genres" in page.text
    assert page.tables["Means over the held-out tasks of 1998-03-31"] == [
        ["model", "tasks", "MAE", "RMSE", "nDCG@5", "adaptation gain"],
        ["user_cold"],
        ["melu", "12", "0.8000", "0.9000", "0.8000", "0.0200"],
        ["damped_bias", "12", "0.9000", "1.0000", "0.8000", NOTHING],
    ]
    assert page.tables["Lists of the same length for everyone"][1:] == [
        ["5 items asked, 127 users"],
        [
            "our list",
            "+0.0211 [+0.0102, +0.0301]",
            "",
            "0.2189",
            "0.7811",
            "3.1",
        ],
        ["popularity", "reference", "", "0.1978", "0.8022", "3.1"],
        [
            "random",
            f"{MINUS}0.0311 [{MINUS}0.0512, {MINUS}0.0111]",
            "",
            "0.1667",
            "0.8333",
            "3.1",
        ],
    ]
    lists = next(rows for caption, rows in page.tables.items() if "of lists for" in caption)
    assert lists[1:] == [
        ["users", "30", "29", "30", "", "", ""],
        ["melu", "0.2000", "0.2000", "", "0.7500", "0.2500", "8.5"],
        ["popularity", "0.1000", "0.1000", "0.0900 to 0.1100", "0.7500", "0.2500", "8.5"],
        ["ItemKNN", "0.1500", "0.1500", "0.0400 to 0.0600", "0.7500", "0.2500", "8.5"],
    ]
    supports = page.tables["Means over tasks, by number of interactions in the support"]
    assert supports[1:] == [
        ["user_cold"],
        ["3-5", "6", "0.8500", "0.9000", "0.9000"],
        ["41+", "6", "0.7500", "0.8000", "0.9000"],
    ]
    assert page.tables["Observed ratings by expected rating"][1:] == [
        ["user_cold"],
        ["2.8000", "2.9000", "20"],
        ["4.1000", "4.0000", "20"],
    ]
    rows = page.tables["3 rows of the source broke a rule and are in quarantine"]
    assert rows[1:] == [["unknown_user", "2", ""], ["missing_item_id", "1", ""]]
    steps = page.tables["The latest run of each step"]
    assert steps[1] == ["ingest", "4.0", "", "finished", "1,234", "567"]
    assert len(steps) == 14


def test_the_pictures_show_the_figures(night: Night) -> None:
    nights.complete(night)
    text = nights.report(night)
    for said in (
        "<title>model 1998-03-31: 0.8000</title>",
        "<title>baseline 1998-03-31: 0.9000</title>",
        "<title>validation, epoch 2: 0.3000</title>",
        "<title>before, epoch 3: 0.3333</title>",
        "<title>adapted, 3-5 interactions, 6 tasks: 0.8500</title>",
        "<title>before adapting, 41+ interactions, 6 tasks: 0.8000</title>",
        "<title>expected 4.10, observed 4.00, 20 ratings</title>",
        "<title>our list: +0.0211 [+0.0102, +0.0301]</title>",
        "<title>our list, 5 asked: 0.2189</title>",
        "<figcaption>nDCG@10 of recommendations, by questions asked. Compare within one number of "
        "questions.</figcaption>",
        "<title>popularity, 5 asked: 0.1978</title>",
        "<title>ingest: 4.0 s</title>",
    ):
        assert said in text, said


def test_the_verdict_comes_first_with_its_figures(night: Night) -> None:
    nights.complete(night)
    page = parsed(nights.report(night))
    assert page.headings[0] == (1, "Night of 1998-03-31 Published")
    header = page.text[: page.text.index("What to show new users")]
    for said in (
        "MovieLens-100K · melu",
        "567 rows are in the warehouse. Figures of quality are of the published model.",
        f"MAE of new users 0.8000 baseline 0.9000 ({MINUS}11.1%)",
        "nDCG@10 of new users\N{RIGHT SINGLE QUOTATION MARK} lists 0.2000 ItemKNN 0.1500 (+33.3%)",
        "Steps ran for 52 s",
        "met user_cold: MAE 0.8000",
    ):
        assert said in header, said


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_from_data_stays_text(night: Night, text: str) -> None:
    night.rows["evidence_items"][0].update(title=text)
    night.rows["evidence_items"][1].update(title=None, item_id=text, segment=text)
    night.rows["interactions_quarantine"][0].update(reason=text)
    nights.complete(night)
    told = nights.a_whole_night(DS)
    told[1]["warnings"] = [text]
    nights.tell(night, [*told, *nights.failure("publish", DS, nights.begin(DS, 99), text)])
    page = parsed(nights.report(night))
    assert page.text.count(" ".join(text.split())) >= 5
    tags = [tag for tag, _ in page.tags]
    assert tags.count("h1") == tags.count("style") == 1
    assert "script" not in tags
    assert "b" not in tags
    assert not [attributes for _, attributes in page.tags if "onmouseover" in attributes]


def test_characters_that_html_has_no_place_for(night: Night) -> None:
    night.rows["evidence_items"][0].update(title="a\0b\x1b[31mc\u202ed")
    nights.complete(night)
    text = nights.report(night)
    assert "<bdi>a�b�[31mc\u202ed</bdi>" in text
    assert not re.search(r"[\0\x1b]", text)


def test_it_stands_alone_and_can_be_read_without_eyes(night: Night) -> None:
    nights.complete(night)
    text = nights.report(night)
    page = parsed(text)
    assert not re.search(r"(https?:)?//", text), "nothing is loaded from anywhere"
    assert ("html", {"lang": "en"}) in page.tags
    assert not [tag for tag, _ in page.tags if tag in ("script", "img", "iframe", "object")]
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(pictures) > 10
    assert all(attributes["role"] == "img" for attributes in pictures)
    assert len(page.titles_of_svg) >= len(pictures)
    assert all(page.titles_of_svg)
    headers = [attributes for tag, attributes in page.tags if tag == "th"]
    assert headers
    assert all("scope" in attributes for attributes in headers)
    assert all(page.tables), "every table has a caption"
    targets = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = [str(attributes["href"]) for tag, attributes in page.tags if tag == "a"]
    assert {link[1:] for link in links if link.startswith("#")} <= targets


def test_the_same_night_makes_the_same_bytes_and_writes_nothing_else(night: Night) -> None:
    nights.complete(night)
    before = nights.files(night.settings.home)
    first = nights.report(night)
    after = nights.files(night.settings.home)
    assert set(after) - set(before) == {"reports/ds=1998-03-31.html"}
    assert {name: after[name] for name in before} == before
    assert nights.report(night) == first


def test_the_command_writes_it_and_says_where(night: Night) -> None:
    nights.complete(night)
    assert command_line.main(["report", "--ds", "1998-03-31", "--model", "melu"]) == 0
    file = night.settings.reports / "ds=1998-03-31.html"
    assert parsed(file.read_text()).headings[0] == (1, "Night of 1998-03-31 Published")
    ended = journal.read(night.settings.journals, DS)[-1]
    assert (ended["step"], ended["event"], ended["report"]) == ("report", "finished", str(file))
    assert command_line.main(["report", "--ds", "1998-03-31"]) == 0, (
        "once more, over its own entries"
    )


@pytest.mark.parametrize("n_steps", range(14))
def test_a_night_that_stopped_anywhere_has_a_report(night: Night, n_steps: int) -> None:
    """Nothing in the lake, and a journal that ends after each step in turn."""
    told = nights.a_whole_night(DS)
    steps = list(dict.fromkeys(entry["step"] for entry in told))
    kept = [entry for entry in told if entry["step"] in steps[:n_steps]]
    if n_steps < len(steps):
        at = nights.begin(DS, n_steps)
        kept += nights.failure(steps[n_steps], DS, at, "the reason why. What to do.")
    nights.tell(night, kept)
    page = parsed(nights.report(night))
    if n_steps < len(steps):
        assert page.headings[0][1].endswith("Not published")
        assert f"The night stopped at {steps[n_steps]}." in page.text
        stopped = f"the night stopped at {steps[n_steps]}: the reason why."
        assert (
            page.text.count(stopped) + page.text.count("has finished, but its result is missing")
            == 8
        )


def test_a_night_of_implicit_feedback(implicit_night: Night) -> None:
    for row in implicit_night.rows["quality_by_support"]:
        row.update(metric="auc")
    nights.complete(implicit_night)
    page = parsed(nights.report(implicit_night))
    header = page.text[: page.text.index("What to show new users")]
    assert "AUC of new users 0.8000 baseline 0.7000 (+14.3%)" in header
    assert page.tables["Means over the held-out tasks of 1998-03-31"][2] == [
        "melu", "12", "0.8000", "0.5000", "0.3000", "0.4000", "0.0500"
    ]  # fmt: skip
    for said in ("AUC by the size of the support", "30 days of nDCG@10", "share that was chosen"):
        assert said in page.text
