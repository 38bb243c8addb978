"""The files that a dataset spec names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DelimitedFile:
    """A text file of rows. `columns` names them when the file has no header.

    `quote` is the character around values that hold the delimiter; empty when there is none.
    """

    file: str
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "UTF-8"
    columns: tuple[str, ...] = ()
