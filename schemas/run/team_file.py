"""`coldstart.toml`: what a team sets once, and what a run has where nobody says otherwise.

It is optional, in the checkout or where COLDSTART_CONFIG says. Each key but those of
[run] is a variable of the environment as well, which wins: `warehouse` is COLDSTART_WAREHOUSE.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from schemas import toml_file
from schemas.dataset.feedback import RankBy
from schemas.errors import UserError
from schemas.run.learners import DEFAULT
from schemas.toml_file import NotNegative, Positive, Record, Texts

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "coldstart.toml"
PREFIX = "COLDSTART_"


def _beside_the_file(path: str, info: ValidationInfo) -> str:
    assert isinstance(info.context, Path)
    return str(info.context / Path(path).expanduser())


Place = Annotated[str, AfterValidator(_beside_the_file)]  # a relative path begins at the file
Places = Annotated[tuple[Place, ...], Field(strict=False)]
Length = Annotated[int, Field(ge=1, le=1000)]


class Run(Record):
    """What the parameters of a night are that nobody chose: `--model` of every command, `--rank-by`
    of meta_train, and what Airflow's form shows."""

    model: str = DEFAULT
    """The learner to train, evaluate and publish."""
    epochs: Length | None = None
    """At most so many passes over the training tasks."""
    rank_by: RankBy | None = None
    """What the items of a cold user are ranked by; without it what the dataset spec says, or else
    p_like."""
    top_k: Length | None = None
    """How many items are published for each cold user; without it 20. The option
    `products.top_items` and `--top-items` of score_cold_users set the same number for one run."""
    evidence_items: Length | None = None
    """How many items are listed to show new users; without it 20."""


class TeamFile(Record):
    """The keys of `coldstart.toml`."""

    home: Place | None = None
    """The folder of all run-time state; without it `var` in the checkout."""
    source: Place | None = None
    """The folder of the source data; without it MovieLens-100K, as `python -m jobs fetch` leaves it
    in the home."""
    warehouse: str | None = None
    """`duckdb:///absolute/path/file.duckdb` or `postgresql://user@host:5432/database`; without it
    `warehouse.duckdb` in the home. PostgreSQL's own variables (PGPASSWORD, PGPASSFILE, PGSSLMODE,
    PGSSLROOTCERT, ...) count too."""
    warehouse_connection: str | None = None
    """The Airflow connection that names the warehouse to the steps of a night."""
    spark: str = "local[*]"
    """A Spark master (`local[*]`, `spark://...`) or a Spark Connect server (`sc://...`)."""
    spark_memory: str = "3g"
    """What the Spark server of one machine may take."""
    spark_jars: Places = ()
    """Jars for Spark, such as a database's JDBC driver; by commas in the variable."""
    spark_properties: Place | None = None
    """A file of Spark's properties, `name=value` a line, over those that the server of one machine,
    or a step's own driver, starts with; `#` begins a comment. `spark` alone says the master."""
    gpu_queue: str | None = None
    """The queue of the tasks that need a GPU, where workers with GPUs listen."""
    alert_connections: Texts = ()
    """Airflow connections that alerts go to; by commas in the variable."""
    retries: NotNegative = 3
    """How often a step is tried again after a fault that may pass."""
    step_timeout_hours: Positive = 6
    """A step that takes longer is ended."""
    deadline_hours: NotNegative = 6
    """A night is late, and alerts, so long after its day; 0: no night is."""
    run: Run = Run()


def team_file(environment: Mapping[str, str] = os.environ) -> TeamFile:
    """What the file says; a `UserError` names everything that is wrong with it."""
    named = environment.get(f"{PREFIX}CONFIG")
    file = Path(named).absolute() if named else REPOSITORY / NAME
    if not named and not file.exists():
        return TeamFile()
    return toml_file.load(TeamFile, file, "configuration")


def variables(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment, over what the team's file says; what is empty counts as not set."""
    values = dict(team_file(environment))
    del values["run"]
    made = {
        PREFIX + name.upper(): ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
        if value is not None
    }
    return {name: value for each in (made, environment) for name, value in each.items() if value}


def number(name: str, environment: Mapping[str, str] = os.environ) -> int:
    """The variable of a key that is a number; a `UserError` for one that the file could not say."""
    variable = PREFIX + name.upper()
    text = variables(environment)[variable]
    try:
        TeamFile.model_validate({name: int(text)})
    except ValueError:  # of int, and of the key's own type
        least = next(each.ge for each in TeamFile.model_fields[name].metadata)
        raise UserError(f"{variable} is {text!r}; expected a whole number from {least}.") from None
    return int(text)
