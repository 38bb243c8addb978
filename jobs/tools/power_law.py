"""A power law in closed form: what share of all goes to the first places, and back.

The density at place x of 0..1 falls as (x + head) ** -exponent (Zipf-Mandelbrot, made continuous):
places well under `head` are alike, later ones fall like Zipf's. Closed, so that a row finds its
place by itself: no table of weights, no window over all rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

from pyspark.sql import Column
from pyspark.sql import functions as F

Number = TypeVar("Number", float, Column)


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """One law over places of 0..1; those well under `head` are alike."""

    exponent: float  # 0: all places alike
    head: float

    def share(self, place: Number) -> Number:
        """The share of the places up to `place`, both of 0..1."""
        return (self._mass(place) - self._mass(0.0)) / self._total

    def place(self, share: Column) -> Column:
        """The place up to which the cumulative share is `share`; the inverse of `share`, convex."""
        mass = share * self._total + self._mass(0.0)
        moved = F.exp(mass) if self.exponent == 1 else F.pow(mass, F.lit(1 / (1 - self.exponent)))
        return moved - self.head

    @property
    def _total(self) -> float:
        return self._mass(1.0) - self._mass(0.0)

    def _mass(self, place: Number) -> Number:
        """The integral of the density, but for a factor."""
        moved = place + self.head
        if isinstance(moved, Column):
            return F.log(moved) if self.exponent == 1 else F.pow(moved, F.lit(1 - self.exponent))
        return math.log(moved) if self.exponent == 1 else math.pow(moved, 1 - self.exponent)
