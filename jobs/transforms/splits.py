"""The leak rule: which interactions training may see, and whose are kept for validation."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from schemas.dataset.holdout import Holdout

_VALIDATION_PER_CENT = 10


def is_validation_user() -> Column:
    """One existing user in ten, by a hash of the id: the same user on every night."""
    return F.pmod(F.xxhash64("user_id", F.lit("validation")), F.lit(100)) < _VALIDATION_PER_CENT


def is_training(held_out: Holdout) -> Column:
    """Whether training may see an interaction, of columns user_id and event_time.

    It may see what came before the held-out days (then its user is no new one, by definition), but
    for validation users.
    """
    return ~is_validation_user() & (F.col("event_time") < F.lit(held_out.new_users_from))
