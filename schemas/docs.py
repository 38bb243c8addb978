"""Contracts and the night for people: `python -m schemas.docs` writes docs/tables.md and
docs/settings.md, the picture in README, and the JSON Schemas by which editors complete and check
the files that people write.

`--check` changes nothing and exits 1 when one of them says something else than schemas/.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from schemas.dataset import spec as dataset_spec
from schemas.pipeline import NIGHT
from schemas.run.team_file import NAME, PREFIX, REPOSITORY, Run, TeamFile
from schemas.tables.columns import Column, Table
from schemas.tables.evaluation import STRATIFIED
from schemas.tables.lake import lake_tables
from schemas.tables.products import PRODUCTS, WAREHOUSE_TABLES
from schemas.tables.rules import row_rules
from schemas.toml_file import Record
from schemas.warehouse.stored import SCHEMA
from schemas.warehouse.views import VIEWS

PAGE = REPOSITORY / "docs" / "tables.md"
SETTINGS = REPOSITORY / "docs" / "settings.md"
EDITORS: dict[str, type[Record]] = {
    "dataset.schema.json": dataset_spec.DatasetSpec,
    "coldstart.schema.json": TeamFile,
}
README = REPOSITORY / "README.md"
BEGIN = "<!-- Made of schemas/pipeline.py by `python -m schemas.docs`. -->\n"
END = "<!-- The end of what is made. -->\n"
EXAMPLE = """\
warehouse = "postgresql://coldstart_writer@db.example.com/shop"
source = "/data/shop"
spark_memory = "8g"
alert_connections = ["chat", "mail"]

[run]
model = "mamo"
top_k = 50
"""
RUN_FLAGS = {"model": "`--model`", "rank_by": "`--rank-by`"}
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
        f"columns of features come from the dataset spec; this page shows those of {spec.title}. "
        "In implicit feedback a chosen item has rating 1. Episodes also have sampled negatives, "
        "with rating 0, after the chosen items of the support and of the query.",
        *(part for table in lake_tables(spec) for part in _table(table)),
        *(part for table in (*PRODUCTS, *STRATIFIED) for part in _table(table)),
        "## Warehouse",
        f"Schema `{SCHEMA}`, in DuckDB or PostgreSQL. The products have `ds` as first column.",
        *(part for table in WAREHOUSE_TABLES for part in _table(table, prefix=f"{SCHEMA}.")),
        "## Views",
        "The views for analysts: published `ds` only, each whole.",
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


def picture() -> str:
    """The night as a chart that Markdown's readers draw: which steps each step waits for."""
    waits = (
        f"  {' & '.join(earlier.name for earlier in step.after)} --> {step.name}\n"
        for step in NIGHT
        if step.after
    )
    return f"```mermaid\nflowchart LR\n{''.join(waits)}```\n"


def settings() -> str:
    """The page of what a team sets once."""
    parts = [
        "# Settings",
        "Made from `schemas/run/team_file.py` by `python -m schemas.docs`.",
        f"A team sets once what every run shares: in `{NAME}`, in the checkout or where "
        "`COLDSTART_CONFIG` says. The file is optional, and so is each key. A variable of the "
        "environment wins over its key, and an empty one counts as not set. Relative paths begin "
        "at the file. A key that there is not, or a value that does not fit, ends a command with "
        "exit code 2 before it does anything, and the error lists all such mistakes.",
        f"```toml\n{EXAMPLE}```",
        "Who reads a source that is a database has no key, because the file may be shared: "
        "`COLDSTART_SOURCE_USER` and `COLDSTART_SOURCE_PASSWORD`. An image has no file: mount one, "
        "and name it. With the first line `#:schema docs/coldstart.schema.json` an editor "
        "completes and checks it.",
        _keys(TeamFile, lambda name: f"`{PREFIX}{name.upper()}`"),
        "## [run]",
        f"{_line(Run.__doc__)} What a person chooses for one night wins.",
        _keys(Run, lambda name: RUN_FLAGS.get(name, "Airflow's form")),
    ]
    return "\n\n".join(parts) + "\n"


def _keys(record: type[Record], or_by: Callable[[str], str]) -> str:
    rows = [
        f"| `{name}` | {or_by(name)} | {_default(field.default)} | {_line(field.description)} |"
        for name, field in record.model_fields.items()
        if name != "run"
    ]
    return "\n".join(["| key | or by | default | meaning |", "|---|---|---|---|", *rows])


def _default(value: object) -> str:
    return f"`{json.dumps(value)}`" if isinstance(value, str | int) else ""


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def editors(record: type[Record]) -> str:
    """The JSON Schema of a file that people write."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema = dialect | record.model_json_schema()
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def made() -> dict[Path, str]:
    """The files that are made, or have a part that is, and what each is to hold."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    readme = f"{before}{BEGIN}{picture()}{END}{after}"
    schemas = {PAGE.parent / name: editors(record) for name, record in EDITORS.items()}
    return {PAGE: page(), SETTINGS: settings(), README: readme, **schemas}


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` compare them; the exit code."""
    if arguments not in ([], ["--check"]):
        print(f"arguments are {arguments}; expected none, or --check", file=sys.stderr)
        return 2
    for file, text in made().items():
        if not arguments:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            print(f"{file} is not what schemas/ says; run python -m schemas.docs", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
