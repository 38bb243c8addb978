"""Where a run keeps its state and finds its services: what the environment and the team's file say.

`TeamFile` explains each (docs/settings.md). The account for a source that is a database
(format = "jdbc" in the dataset spec) comes from the environment alone, as the file may be shared:
COLDSTART_SOURCE_USER, COLDSTART_SOURCE_PASSWORD.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from schemas import utc
from schemas.errors import UserError
from schemas.run.team_file import REPOSITORY as REPOSITORY
from schemas.run.team_file import variables
from schemas.warehouse.uri import WarehouseUri


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The validated settings of one process."""

    home: Path
    source: Path
    warehouse: WarehouseUri
    spark: str
    spark_jars: str = ""
    spark_properties: Mapping[str, str] = field(default_factory=dict, hash=False)
    source_user: str | None = None
    source_password: str | None = field(default=None, repr=False)

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
        """Settings of the environment over coldstart.toml; raises `UserError`."""
        found = variables(environment)
        home = Path(found.get("COLDSTART_HOME") or REPOSITORY / "var").expanduser().absolute()
        source = Path(found.get("COLDSTART_SOURCE") or _fetched(home))
        warehouse = found.get("COLDSTART_WAREHOUSE")
        return Settings(
            home=home,
            source=source.expanduser().absolute(),
            warehouse=(
                WarehouseUri.parse(warehouse)
                if warehouse
                else WarehouseUri.of_file(home / "warehouse.duckdb")
            ),
            spark=found["COLDSTART_SPARK"],
            spark_jars=_absolute(found.get("COLDSTART_SPARK_JARS", "")),
            spark_properties=_properties(found.get("COLDSTART_SPARK_PROPERTIES")),
            source_user=found.get("COLDSTART_SOURCE_USER"),
            source_password=found.get("COLDSTART_SOURCE_PASSWORD"),
        )

    @property
    def is_source_fetched(self) -> bool:
        """Whether the source is MovieLens-100K as `jobs fetch` leaves it: nobody named another."""
        return self.source == _fetched(self.home)

    @property
    def lake(self) -> Path:
        """Parquet tables that the steps share, `<table>/ds=<date>/`."""
        return self.home / "lake"

    @property
    def models(self) -> Path:
        """Each night's trained models before the gate, in the form of a lake."""
        return self.home / "models"

    @property
    def published(self) -> Path:
        """Copies of champions, in the form of a lake; later nights compare with them."""
        return self.home / "published"

    @property
    def reports(self) -> Path:
        """A page of HTML for each ds, `ds=<date>.html`."""
        return self.home / "reports"

    @property
    def data_docs(self) -> Path:
        """Great Expectations' pages for each ds and step of checks."""
        return self.reports / "data-docs"

    @property
    def journals(self) -> Path:
        """The journal of each ds, `ds=<date>.jsonl`."""
        return self.home / "journals"


def _fetched(home: Path) -> Path:
    return home / "datasets" / "ml-100k"


def _properties(file: str | None) -> dict[str, str]:
    """The properties of the file; a `UserError` names the line that is none."""
    if not file:
        return {}
    try:
        lines = Path(file).expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UserError(
            f"COLDSTART_SPARK_PROPERTIES names {file}, which cannot be read: {why}; "
            "expected a file of Spark's properties."
        ) from None
    found = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().startswith("spark.") or name.strip() == "spark.master":
            raise UserError(
                f"line {number} of {file} is {line!r}; expected spark.NAME=VALUE, where NAME is "
                "not master: COLDSTART_SPARK says that."
            )
        found[name.strip()] = value.strip()
    return found


def _absolute(paths: str) -> str:
    return ",".join(str(Path(path.strip()).absolute()) for path in paths.split(",") if path.strip())


def parse_ds(text: str) -> date:
    """The date a run covers, from `YYYY-MM-DD`; a `UserError` when it is not one."""
    try:
        ds = date.fromisoformat(text)
        if str(ds) != text:  # 19980331 and 1998-W14-2 are ISO dates too
            raise ValueError(text)
    except ValueError:
        raise UserError(
            f"ds is {text!r}, which is not a date; expected YYYY-MM-DD, for example 1998-03-31."
        ) from None
    if ds > (today := utc.today()):
        # It would be the latest published day for all the time until then.
        raise UserError(
            f"ds is {ds}, which is after today ({today}, UTC); expected a day that has begun. "
            "Choose an earlier one."
        )
    return ds
