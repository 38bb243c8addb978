"""What unit a source's times are in, where the spec's own makes no sense of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from schemas import utc
from schemas.dataset.source_files import Interactions

_PER_SECOND = {
    "seconds": 1,
    "milliseconds": 1_000,
    "microseconds": 1_000_000,
    "nanoseconds": 1_000_000_000,
}
_DIGITS = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


def hint(texts: Sequence[str | None], spec: Interactions) -> str | None:
    """Which `time_unit` makes times since the spec's `earliest` of all texts, in words."""
    for unit in (*_PER_SECOND, "digits"):
        times = [_time(text or "", unit) for text in texts]
        if unit == spec.time_unit or not all(map(_is_likely, times, [spec] * len(times))):
            continue
        day = next((utc.day_of(time) for time in times if time), None)
        if day is not None:
            return f'With time_unit = "{unit}" the first is of {day}.'
    return None


def _time(text: str, unit: str) -> datetime | None:
    text = text.strip()
    try:
        if unit == "digits":
            return datetime.strptime(f"{text}+0000", f"{_DIGITS[len(text)]}%z")
        return utc.at(float(text) / _PER_SECOND[unit])
    except (ValueError, KeyError, OverflowError, OSError):
        return None


def _is_likely(time: datetime | None, spec: Interactions) -> bool:
    return time is not None and spec.earliest <= str(utc.day_of(time)) <= str(utc.today())
