"""What asking is worth: texts of its table, and a picture that compares within one length."""

from __future__ import annotations

import re

from jobs.report.drawing import figures
from jobs.report.night import Night as FoundNight
from jobs.report.sections import elicitation
from tests.jobs.night import DS, Night
from tests.jobs.report import nights
from tests.jobs.report.pages import parsed


def test_a_tooltip_is_escaped_once_and_one_item_is_one_item(night: Night) -> None:
    nights.complete(night)
    night.rows["evidence_quality"] = [
        nights.asked("evidence", 1, 0.7811, -0.0301, -0.0102),
        nights.asked("evidence_paper", 1, 0.8, -0.0301, -0.0102),
        nights.asked("popularity", 1, 0.8022, 0.0, 0.0),
    ]
    night.write("evidence_quality")
    text = nights.report(night)
    page = parsed(text)
    assert "by MeLU's formula: +0.0022 [+0.0102, +0.0301]" in page.titles_of_svg
    assert "1 item asked, 127 users" in page.text
    assert "&amp;" not in text


def test_no_line_joins_lists_of_two_lengths(night: Night) -> None:
    nights.complete(night)
    more = [
        nights.asked("evidence", 10, 0.75, -0.0301, -0.0102),
        nights.asked("popularity", 10, 0.8, 0.0, 0.0),
    ]
    night.rows["evidence_quality"] += more
    night.write("evidence_quality")
    found = elicitation.elicitation(FoundNight.read(night.settings, DS, "melu")).content
    assert found is not None
    drawing = figures.worth(found["all"])
    assert drawing.count("<circle") == 4
    lines = re.findall(r'<path class="line \w+" d="([^"]*)"', drawing)
    assert len(lines) == 2
    assert all(line.count("M") == 2 and "L" not in line for line in lines)
