"""Where an instant becomes a day, and a day an instant: only here, and always in UTC.

`ds` is a UTC day, on whatever machine the night runs. A datetime without a zone is refused: Python
would read it in the machine's own zone, and an event of 23:30 would belong to another day on a
laptop in Berlin than on the server. `tests/schemas/test_utc.py` holds all other code to it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta


def now() -> datetime:
    """The present instant, aware of its time zone, UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The UTC day of the present instant, whatever the machine's time zone."""
    return day_of(now())


def at(seconds: float) -> datetime:
    """The instant of a Unix time."""
    return datetime.fromtimestamp(seconds, UTC)


def read(text: str) -> datetime:
    """The instant that an ISO 8601 text names, such as 2026-01-31T12:00:00Z."""
    return _in_utc(datetime.fromisoformat(text))


def day_of(instant: datetime) -> date:
    """The UTC day of an aware instant; raises `ValueError` for a naive one."""
    return _in_utc(instant).date()


def start_of(day: date) -> datetime:
    """The first instant of a UTC day."""
    return datetime.combine(day, time.min, UTC)


def end_of(day: date) -> datetime:
    """The first instant that is not of the day any more."""
    return start_of(day + timedelta(days=1))


def shown(instant: datetime) -> str:
    """For a reader who knows that times are UTC."""
    return str(_in_utc(instant).replace(tzinfo=None))


def _in_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(
            f"{instant!r} has no time zone; expected one that says which instant it is. Read it "
            "with its zone: rows of Spark by jobs/spark/rows.py, which keeps it."
        )
    return instant.astimezone(UTC)
