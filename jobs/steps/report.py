"""Write the report of a night, however far the night came: `python -m jobs report --ds D`."""

from __future__ import annotations

import os
from datetime import date

from jobs.report.contents import gather
from jobs.report.night import Night
from jobs.report.page import page
from jobs.report.sections.operation import file_of
from schemas.run import journal
from schemas.run.settings import Settings


def run(settings: Settings, ds: date, record: journal.Step, model: str) -> None:
    """Replace the report of ds, whole; it reads nothing of a later ds and writes nothing else."""
    text = page(gather(Night.read(settings, ds, model)))
    file = file_of(settings, ds)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
    record.facts["report"] = str(file)
    record.progress(f"report: {file}")
