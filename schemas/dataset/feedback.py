"""What people say of items, by rating or by choosing, and what lists can be ordered by."""

from __future__ import annotations

from typing import Literal

Feedback = Literal["explicit", "implicit"]
RankBy = Literal["p_like", "choice", "rating"]

NO_RATINGS = (
    "expected none: feedback is 'implicit', which has no ratings; leave it out, or say "
    'feedback = "explicit"'
)


def levels_of(lowest: float, highest: float, step: float) -> tuple[float, ...]:
    """Every rating of a scale, in ascending order."""
    steps = round((highest - lowest) / step)
    # 0.1 * 3 is no 0.3: to the digits that a person writes.
    return tuple(round(lowest + step * n, 9) for n in range(steps + 1))


def usual_liked_level(levels: tuple[float, ...]) -> float:
    """The least of the levels, in ascending order, that is three quarters up the scale."""
    lowest, highest = levels[0], levels[-1]
    return next(level for level in levels if level >= lowest + 0.75 * (highest - lowest))


def check_order(rank_by: RankBy | None, feedback: Feedback | None) -> None:
    """Raise a `ValueError` where lists cannot be in this order."""
    if rank_by == "rating" and feedback == "implicit":
        raise ValueError(
            "expected 'p_like' or 'choice': feedback is 'implicit', which has no ratings to order "
            "lists by; say one of these, or leave it out"
        )
