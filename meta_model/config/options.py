"""Sections of the config: dataclasses that describe, read and check their own options.

@dataclass(frozen=True, kw_only=True)
class MineConfig(MethodConfig):
    n_heads: int = option(4, "heads of the attention", above=0)
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from schemas.errors import UserError

T = TypeVar("T")

_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple[int, ...]: "one or more whole numbers",
}


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Of a number, or of each number of several."""

    above: float = -math.inf
    least: float = -math.inf
    below: float = math.inf

    def hold(self, number: float) -> bool:
        """Whether the number is within the bounds; `least` is the only inclusive one."""
        return self.above < number < self.below and self.least <= number

    @property
    def in_words(self) -> str:
        """The finite bounds for an error message; empty if there are none."""
        words = {"more than": self.above, "at least": self.least, "less than": self.below}
        return " and ".join(f"{word} {at:g}" for word, at in words.items() if math.isfinite(at))


def option(
    default: T,
    about: str = "",
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
) -> T:
    """A field of a section: its default, its meaning, and the bounds of its numbers."""
    bounds = Bounds(above=above, least=least, below=below)
    return field(default=default, metadata={"about": about, "bounds": bounds})


@dataclass(frozen=True, kw_only=True)
class Option:
    """What a field of a section says of itself; `kind` is its type."""

    kind: Any
    default: Any
    about: str
    bounds: Bounds

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed texts of a `Literal`; empty for any other type."""
        return get_args(self.kind) if get_origin(self.kind) is Literal else ()

    @property
    def expectation(self) -> str:
        """What a value has to be, for error messages and the page of options."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        each = ", each" if isinstance(self.default, tuple) else ""
        bounds = f"{each} {self.bounds.in_words}" if self.bounds.in_words else ""
        return f"{_KINDS[self.kind]}{bounds}"

    def accepts(self, value: object) -> bool:
        """Whether the value has the option's type and is within its choices or bounds."""
        if self.choices:
            return value in self.choices
        if isinstance(self.default, tuple):
            numbers = value if isinstance(value, tuple) else ()
            return len(numbers) > 0 and all(self._is_number(each, int) for each in numbers)
        if self.kind in (int, float):
            return self._is_number(value, self.kind)
        return isinstance(value, self.kind)

    def read(self, text: str) -> object:
        """The value that `text` means; the text itself where it has no meaning here."""
        if self.choices or self.kind is str:
            return text
        try:
            value = json.loads(text.lower())
        except json.JSONDecodeError:
            return text
        return self.from_json(value)

    def from_json(self, value: Any) -> object:
        """JSON has lists for tuples, and may write a number without its fraction."""
        if isinstance(value, list):
            return tuple(value)
        return float(value) if self.kind is float and type(value) is int else value

    def _is_number(self, value: object, kind: type) -> bool:
        kinds = (int, float) if kind is float else (int,)
        # A bool is an int to Python.
        return type(value) in kinds and self.bounds.hold(cast(float, value))


@dataclass(frozen=True, kw_only=True)
class Section:
    """Options of one owner; a value that an option cannot have is refused, in words."""

    def __post_init__(self) -> None:
        for name, described in options_of(type(self)).items():
            if not described.accepts(value := getattr(self, name)):
                raise UserError(
                    f"{name} is {value!r}, expected {described.expectation}, "
                    f"as in {in_json(described.default)}."
                )


@dataclass(frozen=True, kw_only=True)
class MethodConfig(Section):
    """The options that one learner has of its own: none, unless it declares a subclass."""


def options_of(section: type[Section]) -> Mapping[str, Option]:
    """The options of a section by name, in the order in which it declares them."""
    kinds = get_type_hints(section)
    found = {}
    for each in fields(section):
        kind = kinds[each.name]
        if get_origin(kind) is not Literal and kind not in _KINDS:
            raise TypeError(
                f"{section.__name__}.{each.name} is a {kind}, expected a Literal or one of "
                f"{[*map(str, _KINDS)]}"
            )
        found[each.name] = Option(
            kind=kind,
            default=each.default,
            about=each.metadata.get("about", ""),
            bounds=each.metadata.get("bounds", Bounds()),
        )
    return found


def in_json(value: object) -> str:
    """As `--set` takes it: JSON, and a word without quotes."""
    return value if isinstance(value, str) else json.dumps(value)
