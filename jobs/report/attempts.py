"""What the journal says of a night: the latest attempt at each step, and whether it still counts.

A day may be run again from any step on. What a later step did before that is of an earlier run:
the report must not take it for the outcome of the night.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from schemas.pipeline import NIGHT

# What runs whether or not a night fails, the report itself, is no part of how the night went.
STEPS = tuple(step.name for step in NIGHT if not step.even_if_failed)
_STAGE_OF = {step.name: step.stage for step in NIGHT if not step.even_if_failed}

Outcome = Literal["finished", "failed", "unfinished"]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One run of one step. `message` is why it failed; `started` and `ended` are Unix seconds."""

    step: str
    started: float
    ended: float | None = None
    outcome: Outcome = "unfinished"
    seconds: float | None = None
    message: str = ""
    progress: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def in_short(self) -> str:
        """Why it failed: the first sentence of its error, without a full stop."""
        if self.outcome == "unfinished":
            return "it has not ended (it was killed, or is still running)"
        first_line = self.message.strip().partition("\n")[0]
        return first_line.partition(". ")[0].rstrip(".:") or "it does not say why"


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """The latest attempt at each step of the night that was tried at all.

    ever_finished: the steps that any attempt brought to its end, an earlier run's too
    """

    latest: Mapping[str, Attempt]
    ever_finished: frozenset[str] = frozenset()

    @staticmethod
    def of(entries: Iterable[Mapping[str, Any]]) -> Attempts:
        """From the journal's entries, oldest first. Other steps than the night's have no part."""
        latest: dict[str, Attempt] = {}
        finished = set()
        for entry in entries:
            step, at = entry["step"], entry["at"]
            if step not in _STAGE_OF:
                continue
            if entry["event"] == "started":
                latest[step] = Attempt(step=step, started=at)
            elif step in latest:
                latest[step] = _told(latest[step], entry)
            if entry["event"] == "finished":
                finished.add(step)
        return Attempts(latest=latest, ever_finished=frozenset(finished))

    def current(self, step: str) -> Attempt | None:
        """The attempt, unless a step before it was begun again since."""
        attempt = self.latest.get(step)
        return None if attempt is None or self.overtaken_by(step) else attempt

    def overtaken_by(self, step: str) -> str | None:
        """The first step of an earlier stage that was begun after this step."""
        attempt = self.latest.get(step)
        if attempt is None:
            return None
        newer = (
            other
            for other in STEPS
            if _STAGE_OF[other] < _STAGE_OF[step]
            and other in self.latest
            and self.latest[other].started > attempt.started
        )
        return next(newer, None)

    @property
    def stopped_at(self) -> Attempt | None:
        """The first step that did not end well, where the night came to a stop."""
        found = (self.current(step) for step in STEPS)
        return next((each for each in found if each and each.outcome != "finished"), None)

    def why_without(self, step: str) -> str:
        """Why there is nothing of the night by `step`, in the middle of a sentence."""
        attempt = self.current(step)
        if attempt is not None and attempt.outcome == "finished":
            return f"{step} has finished, but its result is missing (none made, or removed since)"
        if (stopped := self.stopped_at) is not None:
            return f"the night stopped at {stopped.step}: {stopped.in_short}"
        if overtaken_by := self.overtaken_by(step):
            return f"{step} has not run again since {overtaken_by} did"
        return f"{step} has not run for this day"

    def busy_seconds(self) -> float | None:
        """For how long at least one step of the night ran; None before any has ended."""
        current = (self.current(step) for step in STEPS)
        spans = sorted(
            (each.ended - each.seconds, each.ended)
            for each in current
            if each and each.ended is not None and each.seconds is not None
        )
        total, until = 0.0, 0.0
        for start, end in spans:
            total += max(0.0, end - max(start, until))
            until = max(until, end)
        return total if spans else None


def _told(attempt: Attempt, entry: Mapping[str, Any]) -> Attempt:
    """The attempt, with what one more entry says of it."""
    match entry["event"]:
        case "progress":
            return replace(attempt, progress=(*attempt.progress, entry["message"]))
        case "finished" | "failed":
            return replace(
                attempt,
                outcome=entry["event"],
                ended=entry["at"],
                seconds=entry["seconds"],
                message=entry.get("message", ""),
                facts=entry,
            )
    return attempt
