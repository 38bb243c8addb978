"""Drawing in SVG: scales, ticks, lines with gaps, and elements that escape what they are given."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from markupsafe import Markup

Place = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Values from `low` to `high`, and where to write what beside them."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float, start: float, end: float) -> float:
        """The linear position of the value between `start` (low) and `end` (high)."""
        return start + (value - self.low) / (self.high - self.low) * (end - start)


def number_axis(values: Iterable[float], n_ticks: int = 4) -> Axis:
    """An axis of round numbers around the values, in about `n_ticks` steps or fewer.

    Values that are all one get an axis around them; no values at all, 0 to 1.
    """
    found = list(values) or [0.0, 1.0]
    low, high = min(found), max(found)
    if low == high:
        room = abs(low) * 0.05 or 0.5
        low, high = low - room, high + room
    step = _round_step((high - low) / n_ticks)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    decimals = max(0, -math.floor(math.log10(step)))
    ticks = [number * step for number in range(first, last + 1)]
    return Axis(
        low=ticks[0],
        high=ticks[-1],
        ticks=tuple((tick, f"{tick + 0.0:.{decimals}f}") for tick in ticks),
    )


def _round_step(least: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))


def path_with_gaps(places: Sequence[Place | None]) -> str:
    """The `d` of a path through the places, which lifts the pen where one is None."""
    parts, is_down = [], False
    for place in places:
        if place is not None:
            parts.append(f"{'L' if is_down else 'M'}{number(place[0])} {number(place[1])}")
        is_down = place is not None
    return "".join(parts)


def number(value: float) -> str:
    """A coordinate, as short as a tenth of a pixel needs."""
    return f"{value:.1f}".removesuffix(".0")


class Drawing:
    """An SVG element with a title, which screen readers read aloud."""

    def __init__(
        self, width: float, height: float, title: str, *, is_stretched: bool = False
    ) -> None:
        self._root = ElementTree.Element("svg", viewBox=f"0 0 {number(width)} {number(height)}")
        if is_stretched:  # to whatever box the page gives it
            self._root.set("preserveAspectRatio", "none")
        self._root.set("role", "img")
        ElementTree.SubElement(self._root, "title").text = title

    def add(self, tag: str, style: str, title: str | None = None, **values: float | str) -> None:
        """An element of the class `style`; `title` is its tooltip."""
        made = ElementTree.SubElement(self._root, tag, {"class": style})
        for name, value in values.items():
            made.set(name, value if isinstance(value, str) else number(value))
        if title is not None:
            ElementTree.SubElement(made, "title").text = title

    def text(self, x: float, y: float, text: str, style: str) -> None:
        """Add text with its baseline at (x, y), in the page's CSS class `style`; it is escaped."""
        made = ElementTree.SubElement(self._root, "text", {"class": style})
        made.set("x", number(x))
        made.set("y", number(y))
        made.text = text

    def markup(self) -> Markup:
        """The whole SVG element for a template, which must not escape it again."""
        return Markup(ElementTree.tostring(self._root, encoding="unicode"))  # noqa: S704 - escaped
