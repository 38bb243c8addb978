"""The report says what became of every row that ingest read."""

from __future__ import annotations

from tests.jobs.night import DS, Night
from tests.jobs.report import nights


def test_rows_read_and_what_became_of_them(night: Night) -> None:
    nights.complete(night)
    assert "rows read" not in nights.report(night), "an older journal does not say"
    assert "Rows by file" not in nights.report(night)
    rows = {"read": 1378, "after ds": 2, "kept": 1373}
    files = {"interactions": {"picks <b>.csv": {**rows, "quarantined": 3}}}
    told = nights.entries(
        "ingest", DS, nights.begin(DS, 0), rows=rows, rows_of_files=files, quarantined=3
    )
    nights.tell(night, [*told, *nights.a_whole_night(DS)[len(told) :]])
    report = nights.report(night)
    assert "<p>1,378 rows read: 1,373 kept, 3 set aside, 2 after ds.</p>" in report
    cells = "".join(f'<td class="n">{n}</td>' for n in ("1,378", "1,373", "3", "2"))
    assert f'<tr><th scope="row"><bdi>picks &lt;b&gt;.csv</bdi></th>{cells}</tr>' in report
