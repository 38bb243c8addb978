"""Airflow's configuration on one machine, as environment variables, in one place."""

from __future__ import annotations

import base64
import importlib.metadata
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from schemas.run.settings import REPOSITORY, Settings

USERS = {"admin": "admin", "analyst": "viewer"}  # name: role


@dataclass(frozen=True, kw_only=True)
class AirflowHome:
    """The folder of one Airflow: its database, secrets, logs."""

    path: Path

    @staticmethod
    def of(settings: Settings) -> AirflowHome:
        """The folder `airflow` in the home of this checkout's runs."""
        return AirflowHome(path=settings.home / "airflow")

    @property
    def database(self) -> Path:
        """SQLite, because one machine needs no server for Airflow's own tables."""
        return self.path / "airflow.db"

    @property
    def passwords_file(self) -> Path:
        """JSON that Airflow reads: the password of each user of its UI."""
        return self.path / "passwords.json"

    @property
    def task_logs(self) -> Path:
        """The folder where Airflow writes a file for each try of a task."""
        return self.path / "logs"

    def passwords(self) -> dict[str, str]:
        """The users' passwords, made when first asked for."""
        return _kept_secrets(
            self.passwords_file, {name: secrets.token_urlsafe(12) for name in USERS}
        )

    def keys(self) -> dict[str, str]:
        """The keys Airflow's components share, made when first asked for."""
        fernet_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        made = {"fernet": fernet_key, "jwt": secrets.token_hex(32), "api": secrets.token_hex(32)}
        return _kept_secrets(self.path / "keys.json", made)

    @property
    def _migrated_stamp(self) -> Path:
        """Since there are pools, another name: a home from before has none."""
        return self.path / f"with-pools-{importlib.metadata.version('apache-airflow-core')}"

    def is_migrated(self) -> bool:
        """Whether this version of Airflow has made or migrated the database."""
        return self._migrated_stamp.exists() and self.database.exists()

    def mark_migrated(self) -> None:
        """Note that this version of Airflow has made or migrated the database."""
        self._migrated_stamp.touch()


def airflow_variables(home: AirflowHome, *, api_port: int, scheduled: bool) -> dict[str, str]:
    """The variables that make every `airflow` command serve this home and this checkout.

    `scheduled`: whether the scheduler starts the night by itself. Without it, it only runs what
    somebody asked for: opening the UI on a historic data set starts nothing.
    """
    home.passwords()
    keys = home.keys()
    url = f"http://127.0.0.1:{api_port}"
    sections: dict[str, dict[str, object]] = {
        "core": {
            "dags_folder": REPOSITORY / "dags",
            "plugins_folder": REPOSITORY / "dags" / "plugins",
            "load_examples": False,
            "default_timezone": "utc",
            "dags_are_paused_at_creation": False,
            "executor": "LocalExecutor",
            "parallelism": 4,
            "fernet_key": keys["fernet"],
            "execution_api_server_url": f"{url}/execution/",
            "simple_auth_manager_users": ",".join(f"{name}:{role}" for name, role in USERS.items()),
            "simple_auth_manager_passwords_file": home.passwords_file,
        },
        # A backfill of many days that have run before writes for some seconds: others wait.
        "database": {"sql_alchemy_conn": f"sqlite:///{quote(str(home.database))}?timeout=60"},
        "api": {
            "host": "127.0.0.1",
            "port": api_port,
            "base_url": url,
            "secret_key": keys["api"],
            "workers": 1,
        },
        "api_auth": {"jwt_secret": keys["jwt"]},
        "scheduler": {
            "use_job_schedule": scheduled,
            # What a kill left running is tried again after seconds, by default after five minutes.
            "orphaned_tasks_check_interval": 20,
            "task_instance_heartbeat_timeout": 60,
        },
        "logging": {"base_log_folder": home.task_logs, "colored_console_log": False},
    }
    variables = {
        f"AIRFLOW__{section.upper()}__{name.upper()}": str(value)
        for section, options in sections.items()
        for name, value in options.items()
    }
    return {
        "AIRFLOW_HOME": str(home.path),
        "NO_COLOR": "1",
        **variables,
    }


def _kept_secrets(path: Path, made: dict[str, str]) -> dict[str, str]:
    """The secrets in `path`, which only its owner can read; written from `made` the first time."""
    try:
        kept: dict[str, str] = json.loads(path.read_text())
        return kept
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(made, file)
    draft.replace(path)
    return made
