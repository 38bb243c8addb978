"""Which part of the data up to `ds` training must not see: decided by time alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from schemas import utc
from schemas.dataset.spec import ColdStart
from schemas.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Holdout:
    """Users (items) first seen at or after the start of their held-out days are new."""

    new_users_from: datetime
    new_items_from: datetime


def holdout(first_day: date, last_day: date, cold_start: ColdStart) -> Holdout:
    """The held-out days of data that reaches from `first_day` to `last_day`, both included."""
    days = (last_day - first_day).days + 1
    if days < 2:
        raise UserError(
            f"the data up to ds covers {days} day ({first_day}); at least 2 are needed to hold out "
            "new users. Choose a later ds."
        )
    user_days = min(cold_start.new_user_days, max(1, days // 4))
    item_days = min(cold_start.new_item_days, max(1, days // 2))
    return Holdout(
        new_users_from=_start_of_last(user_days, last_day),
        new_items_from=_start_of_last(item_days, last_day),
    )


def _start_of_last(days: int, last_day: date) -> datetime:
    return utc.start_of(last_day - timedelta(days=days - 1))
