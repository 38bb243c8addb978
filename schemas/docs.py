"""Contracts as a page for people: `python -m schemas.docs` writes docs/tables.md.

`--check` changes nothing and exits 1 when the page says something else than the contracts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from schemas import dataset_spec
from schemas.columns import Column, Table
from schemas.evaluation_tables import BREAKDOWNS
from schemas.products import PRODUCTS, WAREHOUSE_TABLES
from schemas.rules import row_rules
from schemas.settings import REPOSITORY
from schemas.stored import SCHEMA
from schemas.tables import lake_tables
from schemas.views import VIEWS

PAGE = REPOSITORY / "docs" / "tables.md"
EXAMPLE_SPEC = dataset_spec.BUNDLED / "ml-100k.toml"


def page() -> str:
    """The whole page, from nothing but the contracts."""
    spec = dataset_spec.load(EXAMPLE_SPEC)
    parts = [
        "# Tables",
        "Made from `schemas/` by `python -m schemas.docs`; edit the contracts, not this page.",
        "Times are UTC. Lake tables are keyed within one `ds`, the UTC day whose data they cover.",
        "## Lake",
        "Parquet, `lake/<table>/ds=<date>/`; a partition is complete when it has `_SUCCESS`. The "
        f"columns of features come from the dataset spec; these are those of {spec.title}. Ratings "
        "of implicit feedback are 1 for an item chosen; in episodes, sampled negatives of rating 0 "
        "come after the chosen items of each side.",
        *(part for table in lake_tables(spec) for part in _table(table)),
        *(part for table in (*PRODUCTS, *BREAKDOWNS) for part in _table(table)),
        "## Warehouse",
        f"Schema `{SCHEMA}`, of DuckDB or PostgreSQL. The products lie here with `ds` in front.",
        *(part for table in WAREHOUSE_TABLES for part in _table(table, prefix=f"{SCHEMA}.")),
        "## Views",
        "What analysts use: whole published `ds` and nothing else.",
        *(part for view in VIEWS for part in _table(view.table, prefix=f"{SCHEMA}.")),
    ]
    return "\n\n".join(parts) + "\n"


def _table(table: Table, prefix: str = "") -> Iterator[str]:
    yield f"### {prefix}{table.name}"
    yield table.description
    if table.key:
        yield f"Key: {', '.join(f'`{name}`' for name in table.key)}."
    head = ["| column | type | null | values | meaning |", "|---|---|---|---|---|"]
    yield "\n".join([*head, *map(_row, table.columns)])
    if row_rules(table):
        yield "\n".join(f"- {rule.description}" for rule in row_rules(table))


def _row(column: Column) -> str:
    null = "yes" if column.nullable else ""
    return f"| `{column.name}` | {column.type.value} | {null} | {_values(column)} | " + (
        f"{_escaped(column.description)} |"
    )


def _values(column: Column) -> str:
    if column.allowed is not None:
        return ", ".join(f"`{value}`" for value in column.allowed)
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f"{low:g} or more"
    return f"{high:g} or less" if high is not None else ""


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` compare it; the exit code."""
    if arguments not in ([], ["--check"]):
        print(f"arguments are {arguments}; expected none, or --check", file=sys.stderr)
        return 2
    if not arguments:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    print(f"{PAGE} is not what the contracts say; run python -m schemas.docs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
