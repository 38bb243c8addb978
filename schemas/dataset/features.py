"""Attributes of users and items in a dataset spec, and what their columns are called."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, field_validator, model_validator

from schemas.toml_file import Numbers, Record, Texts

_JAVAS_NAME = re.compile(r"\(\?<(?=[a-zA-Z])")  # of a group; Python writes (?P<
_PYTHONS_NAME = re.compile(r"(?<!\\)\(\?P[<=>]")


class Feature(Record):
    """One attribute of a user or an item."""

    kind: Literal["categorical", "multi", "bucketed"]
    """`categorical`: one value; `multi`: many; `bucketed`: a number, put between bounds."""
    column: str | None = None
    """Its column; of `multi` one of lists in a Parquet file, or text that `separator` splits."""
    pattern: str | None = None
    """A regular expression, whose first group is picked out of the column's text."""
    separator: str | None = None
    """Where the text of a `multi` feature is split."""
    flags: Texts = ()
    """Of `multi`, instead of a column: the columns that hold 0 or 1, one for each value."""
    buckets: Numbers = ()
    """The ascending bounds of a `bucketed` feature."""
    minimum: float | None = None
    """A smaller number is read as unknown."""
    maximum: float | None = None
    """A larger number is read as unknown, for example an impossible age."""

    @field_validator("pattern")
    @classmethod
    def _picks_a_group(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        if _PYTHONS_NAME.search(pattern):
            raise ValueError(
                f"{pattern!r} names a group as Python does; expected an expression of Java, which "
                "Spark reads: (?<name>...), or ( and ) without a name"
            )
        try:
            groups = re.compile(_JAVAS_NAME.sub("(?P<", pattern)).groups
        except re.error as error:
            if "bad escape" in str(error):  # such as \p{L} of Java's expressions, which Spark reads
                return pattern
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        if not groups:
            raise ValueError(
                f"{pattern!r} has no group; expected ( and ) around what is picked out"
            )
        return pattern

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        bounds = [each for each in (self.minimum, self.maximum) if each is not None]
        if (self.column is None) == (not self.flags):
            raise ValueError("give either `column` or `flags`, and not both")
        if self.flags and self.kind != "multi":
            raise ValueError(f"`flags` belong to kind 'multi', not {self.kind!r}")
        if any(low >= high for low, high in pairwise(self.buckets)):
            raise ValueError(f"buckets are {_numbers(self.buckets)}, expected them ascending")
        if (self.kind == "bucketed") != bool(self.buckets):
            raise ValueError("`buckets` belong to kind 'bucketed', and it needs them")
        if bounds and self.kind != "bucketed":
            raise ValueError(
                f"`minimum` and `maximum` belong to kind 'bucketed', not {self.kind!r}"
            )
        if bounds != sorted(bounds):
            lowest, highest = bounds
            raise ValueError(f"minimum is {lowest:g}, expected at most maximum, {highest:g}")
        return self


def _numbers(values: tuple[float, ...]) -> str:
    return f"[{', '.join(f'{value:g}' for value in values)}]"


def as_column(name: str) -> str:
    """A feature's name in the lake and the warehouse.

    Engines disagree about dots, blanks and quotes in names, so these become underscores there.
    """
    return re.sub(r"\W", "_", name)


def _column(name: str) -> str:
    column = as_column(name)
    if not column.strip("_") or column[0].isdigit():
        raise ValueError(
            "expected one that begins with a letter. Choose another name; `column` may stay as it "
            "is"
        )
    return column


def _distinct(features: Any) -> Any:
    """Engines tell no columns apart by capitals."""
    taken: dict[str, str] = {}
    for name in features if isinstance(features, dict) else ():
        other = taken.setdefault(as_column(name).lower(), name)
        if other != name:
            raise ValueError(
                f"the feature {name!r} has the column {as_column(name)!r}, as another feature has, "
                f"{other!r}; expected names that differ by more than capitals, blanks and dots. "
                "Rename one"
            )
    return features


# By the names of their columns.
Features = Annotated[
    dict[Annotated[str, AfterValidator(_column)], Feature], BeforeValidator(_distinct)
]
