"""The verdict of a night: whether its day was published, with which model, and why or why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jobs.report.attempts import Attempt, Attempts
from schemas.pipeline import GATE, PUBLISH

State = Literal["published", "kept", "outdated", "unpublished"]

_HEADLINES: dict[State, str] = {
    "published": "Published",
    "kept": "Published, with the last good model",
    "outdated": "Not published again",
    "unpublished": "Not published",
}
_RULE_MARKS = {"ok  ": True, "FAIL": False}  # how the gate's progress says what became of a rule


@dataclass(frozen=True, kw_only=True)
class GateRule:
    """One rule of the gate in its own words."""

    met: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`sentence` says why in short, `message` is all that the step where it stopped had to say."""

    state: State
    sentence: str
    message: str
    gate: str
    rules: tuple[GateRule, ...]
    seconds: float | None

    @property
    def headline(self) -> str:
        """The verdict in one sentence, for the head of the report."""
        return _HEADLINES[self.state]

    @property
    def is_published(self) -> bool:
        """Whether the warehouse has what the lake has of the day."""
        return self.state in ("published", "kept")

    @property
    def is_of_champion(self) -> bool:
        """Whether the day has the model published last before, and not that night's own."""
        return self.state == "kept"

    @property
    def judged(self) -> str:
        """Whose figures stand in the head of the report."""
        return "of the published model" if self.is_published else "of this night's own model"

    @property
    def gate_in_short(self) -> str:
        """The gate's words without its reasons, which the rules show."""
        return self.gate.partition(": ")[0]


def verdict(attempts: Attempts) -> Verdict:
    """From the journal alone: the warehouse may be another machine's, and down."""
    gate, publish = attempts.current(GATE.name), attempts.current(PUBLISH.name)
    words = str(gate.facts.get("gate", "")) if gate else ""
    stopped = attempts.stopped_at
    state: State = "unpublished"
    if publish is not None and publish.outcome == "finished":
        state = "kept" if words.startswith("kept") else "published"
    elif PUBLISH.name in attempts.ever_finished:
        state = "outdated"
    return Verdict(
        state=state,
        sentence=_sentence(attempts, state),
        message=stopped.message if stopped else "",
        gate=words,
        rules=_rules(gate),
        seconds=attempts.busy_seconds(),
    )


def _sentence(attempts: Attempts, state: State) -> str:
    if state in ("published", "kept"):
        rows = attempts.latest[PUBLISH.name].facts.get("rows_out")
        counted = "Its rows are" if rows is None else f"{rows:,} rows are"
        return f"{counted} in the warehouse."
    stopped = attempts.stopped_at
    if stopped is not None and stopped.message:
        why = f"The night stopped at {stopped.step}."  # which says why itself
    else:
        why = _as_sentence(attempts.why_without(PUBLISH.name))
    if state == "outdated":
        why += " The warehouse holds what an earlier run of this day published."
    return why


def _rules(gate: Attempt | None) -> tuple[GateRule, ...]:
    lines = gate.progress if gate else ()
    return tuple(
        GateRule(met=_RULE_MARKS[line[:4]], text=line[4:].strip())
        for line in lines
        if line[:4] in _RULE_MARKS
    )


def _as_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
