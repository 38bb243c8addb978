"""All that a report says, gathered from one night; what may be missing is a `Part`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from jobs.report.night import Night, Part
from jobs.report.sections import (
    elicitation,
    evidence,
    list_history,
    lists,
    operation,
    quality,
    stratified,
    training,
)
from jobs.report.sections.elicitation import Contests
from jobs.report.sections.evidence import Evidence
from jobs.report.sections.list_history import ListHistory
from jobs.report.sections.lists import Lists
from jobs.report.sections.operation import FileRows, Links, Reason, StepLine, Warned
from jobs.report.sections.quality import Quality
from jobs.report.sections.stratified import Calibration, Supports
from jobs.report.sections.training import Training
from jobs.report.sections.verdict import Verdict, verdict
from schemas.dataset.spec import Feedback


@dataclass(frozen=True, kw_only=True)
class Contents:
    """`dataset` is the data set's title, None before the lake holds any."""

    ds: date
    dataset: str | None
    feedback: Feedback
    model: str
    verdict: Verdict
    evidence: Part[Evidence]
    elicitation: Part[Contests]
    lists: Part[Lists]
    list_history: Part[ListHistory]
    quality: Part[Quality]
    training: Part[Training]
    by_support: Part[Supports]
    calibration: Part[Calibration]
    steps: tuple[StepLine, ...]
    accounted: str | None
    files: tuple[FileRows, ...]
    quarantine: Part[tuple[Reason, ...]]
    warnings: tuple[Warned, ...]
    links: Links


def gather(night: Night) -> Contents:
    """Reads nothing of a later ds, and writes nothing."""
    return Contents(
        ds=night.ds,
        dataset=None if night.spec is None else night.spec.title,
        feedback=night.feedback,
        model=night.model,
        verdict=verdict(night.attempts),
        evidence=evidence.evidence(night),
        elicitation=elicitation.elicitation(night),
        lists=lists.lists(night),
        list_history=list_history.list_history(night),
        quality=quality.quality(night),
        training=training.training(night),
        by_support=stratified.by_support(night),
        calibration=stratified.calibration(night),
        steps=operation.step_lines(night),
        accounted=operation.accounted(night),
        files=operation.files(night),
        quarantine=operation.quarantine(night),
        warnings=operation.warnings(night),
        links=operation.links(night.settings, night.ds),
    )
