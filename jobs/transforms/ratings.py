"""A check of all ratings of a source together."""

from __future__ import annotations


def all_equal(lowest: float | None, highest: float | None) -> str | None:
    """The warning if the lowest rating is the highest one."""
    if lowest is None or lowest != highest:
        return None
    return (
        f"all ratings are {lowest:g}: a model of ratings learns nothing from them, and only the "
        "model of choices tells items apart. If people choose and do not rate, say feedback = "
        '"implicit" in the dataset spec; else look at its rating column'
    )
