"""Days that the lake has and the source has no longer.

A night makes the lake what the source is, so it empties these days. But a folder that is mounted in
part, files that were packed under other names, and a source that keeps only its last months look
the same: each is told, and many of them stop the step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path

from schemas.dataset.spec import DatasetSpec
from schemas.errors import UserError
from schemas.lake import Manifest

NO_ROWS = "0"  # the fingerprint of a day without any


def vanished(held: Mapping[date, Manifest], present: Collection[date]) -> dict[date, int]:
    """The days that have interactions in the lake and are not `present`, with their number."""
    return {day: of_day.rows for day, of_day in held.items() if of_day.rows and day not in present}


def note(gone: Mapping[date, int]) -> str | None:
    """A sentence about the days that are emptied, if there are any."""
    if not gone:
        return None
    return f"{_days(gone)} are no longer in the source, and no longer in the lake"


def check(
    gone: Mapping[date, int],
    held: int,
    spec: DatasetSpec,
    spec_file: Path,
    notes: Sequence[str] = (),
) -> None:
    """A `UserError` if more of the `held` interactions are gone than the spec allows.

    notes: of files that are not read, which may be those that are missing
    """
    fraction, limit = sum(gone.values()) / max(held, 1), spec.max_vanished_fraction
    if fraction <= limit:
        return
    raise UserError(
        ". ".join(
            [
                f"{_days(gone)} ({fraction:.2%} of the lake's) are no longer in the source, and "
                f"the dataset spec allows {limit:.2%}; nothing was written, the lake keeps what it "
                "had",
                *notes,
                "Bring the files back, or correct the spec if it reads other days than before. If "
                f"they were rightly removed, raise max_vanished_fraction in {spec_file}, and the "
                "lake will be without them.",
            ]
        )
    )


def _days(gone: Mapping[date, int]) -> str:
    first, last, rows = min(gone), max(gone), sum(gone.values())
    of = str(first) if first == last else f"{len(gone):,} days from {first} to {last}"
    return f"{rows:,} interactions of {of}"
