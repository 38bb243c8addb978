"""What the gate decided of a ds: the model that the steps after it make the products with.

Kept as `gates/ds=<ds>.json` in COLDSTART_HOME. The challenger is the model trained for the ds, the
champion the one published last before it, kept whole in `published/` (`CHAMPIONS`).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import GATE
from schemas.run.artefact import Provenance
from schemas.run.run_id import RunId
from schemas.run.settings import Settings
from schemas.tables.products import EVIDENCE_ITEMS

# The one table of the lake `published/`: each ds's published model, and its evidence lists.
CHAMPIONS = "models"

Verdict = Literal["challenger", "champion", "neither"]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """`reasons`: the rules that the challenger broke, or else all that were met.

    run_id: of the model to publish, None where neither may be; by_hand: whether a person chose
    """

    challenger: str
    verdict: Verdict
    run_id: str | None
    reasons: tuple[str, ...]
    by_hand: bool = False

    @property
    def text(self) -> str:
        """The decision in one line, as `publications.gate` and the terminal show it."""
        reasons = "; ".join(self.reasons)
        match self.verdict:
            case "challenger":
                return f"{'chosen by hand' if self.by_hand else 'passed'}: {reasons}"
            case "champion":
                why = "chosen by hand" if self.by_hand else "the new one failed"
                return f"kept the last published model, {self.run_id} ({why}): {reasons}"
            case "neither":
                return f"failed: {reasons}"


def champion_day(settings: Settings, ds: date) -> date | None:
    """The last ds before this one that is published: a backfill does not see later ones."""
    days = Lake(root=settings.published).days(CHAMPIONS, until=ds - timedelta(days=1))
    return max(days, default=None)


def published_lists(settings: Settings, ds: date) -> tuple[date, Path] | None:
    """The last ds before this one that is published, and the evidence lists that it published."""
    if (day := champion_day(settings, ds)) is None:
        return None
    kept = Lake(root=settings.published).version(CHAMPIONS, day) / EVIDENCE_ITEMS.name
    lake = Lake(root=settings.lake)
    if kept.is_dir():
        return day, kept
    if day in lake.days(EVIDENCE_ITEMS.name, until=day):  # an older release kept the model alone
        return day, lake.version(EVIDENCE_ITEMS.name, day)
    return None


def day_of(settings: Settings, ds: date, run: RunId) -> date | None:
    """The last ds before this one that published the run's model: where the model still is.

    Between the gate and the steps after it, the day before may publish another one.
    """
    published = Lake(root=settings.published)
    days = published.days(CHAMPIONS, until=ds - timedelta(days=1))
    return next(
        (
            day
            for day in sorted(days, reverse=True)
            if Provenance.read(published.version(CHAMPIONS, day)).run_id == run
        ),
        None,
    )


def write(settings: Settings, ds: date, decision: Decision) -> None:
    """Replace the decision on `ds` by one atomic rename; a later run of the gate overwrites it."""
    file = _file(settings, ds)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(json.dumps(asdict(decision), indent=2) + "\n")
    draft.replace(file)


def require(settings: Settings, ds: date, model: str) -> tuple[Decision, RunId]:
    """The decision on the `model` of ds, and the run to publish; a `UserError` when there is none.

    The challenger must still be the one that was decided on.
    """
    file = _file(settings, ds)
    advice = f"Run the step {GATE.name} first: {GATE.command(ds, model)}"
    try:
        values = json.loads(file.read_text())
    except FileNotFoundError:
        raise UserError(f"no gate has decided on ds {ds} ({file} is missing). {advice}") from None
    try:
        decision = Decision(**{**values, "reasons": tuple(values["reasons"])})
    except (KeyError, TypeError):
        raise UserError(f"{file} is of another version of this code. {advice}") from None
    if decision.run_id is None:
        raise UserError(
            f"the gate refused {decision.challenger} for ds {ds}: {'; '.join(decision.reasons)}. "
            "Train again and pass the gate before publishing."
        )
    if RunId.parse(decision.challenger).model != model:
        raise UserError(f"the gate of ds {ds} decided on {decision.challenger}. {advice}")
    return decision, RunId.parse(decision.run_id)


def _file(settings: Settings, ds: date) -> Path:
    return settings.home / "gates" / f"ds={ds}.json"
