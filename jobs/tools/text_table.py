"""Rows as a plain-text table that fits a terminal."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 100


def text_table(
    header: Sequence[str], rows: Sequence[Sequence[object]], *, wide: str | None = None
) -> str:
    """Aligned columns, numbers to the right; the column `wide` is cut so that lines fit `WIDTH`.

    Floats show four decimals, None a dash.
    """
    cells = [[*header], *([_cell(value) for value in row] for row in rows)]
    right = [
        all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(header))
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    if wide is not None:
        i = list(header).index(wide)
        room = WIDTH - sum(widths) - 2 * len(widths) + widths[i]
        widths[i] = min(widths[i], max(room, len(wide)))
    return "\n".join(_line(row, widths, right) for row in cells)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = " ".join(str(value).split())
    # Titles are other people's: none may move the cursor, or turn the line around.
    return "".join(character if character.isprintable() else "�" for character in text)


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = (
        _cut(cell, width).rjust(width) if to_right else _cut(cell, width).ljust(width)
        for cell, width, to_right in zip(row, widths, right, strict=True)
    )
    return "  " + "  ".join(cells).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
