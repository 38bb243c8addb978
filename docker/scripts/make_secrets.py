"""Makes the secrets of a deployment that are not there yet. It shows none, and changes none.

    python docker/scripts/make_secrets.py FOLDER

FOLDER/administrator  PostgreSQL's superuser: readable to the group too, for PostgreSQL's own user
FOLDER/airflow        the roles' passwords, `pgpass` made of them, Airflow's keys and log-ins
FOLDER/spark          what Spark's processes prove themselves to each other with

To replace a secret, remove its file and run this again (docs/deployment.md says what to restart).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

HOST = os.environ.get("COLDSTART_POSTGRES_HOST", "postgres")
PORT = os.environ.get("COLDSTART_POSTGRES_PORT", "5432")
ROLES = {"airflow": "airflow", "coldstart_writer": "coldstart"}  # role: its database
LOG_INS = ("admin", "analyst")
OWNER, GROUP_TOO = 0o600, 0o640


def main(folder: Path) -> None:
    """Make the secrets that `folder` lacks, each readable to those alone who need it."""
    airflow = folder / "airflow"
    for each in (folder / "administrator", airflow, folder / "spark"):
        each.mkdir(mode=0o750, parents=True, exist_ok=True)
    keep(folder / "administrator" / "postgres_password", password, GROUP_TOO)
    keep(folder / "spark" / "secret", password)
    keep(airflow / "fernet_key", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    keep(airflow / "jwt_secret", password)
    keep(airflow / "api_secret_key", password)
    keep(airflow / "log_ins.json", lambda: json.dumps({name: password() for name in LOG_INS}))
    lines = (
        f"{HOST}:{PORT}:{database}:{role}:{keep(airflow / f'{role}_password', password)}\n"
        for role, database in ROLES.items()
    )
    write(airflow / "pgpass", "".join(lines), OWNER)


def password() -> str:
    """64 letters, digits, - and _: nothing to escape anywhere, and long enough to sign tokens."""
    return secrets.token_urlsafe(48)


def keep(path: Path, make: Callable[[], str], mode: int = OWNER) -> str:
    """The secret in `path`, made now if there is none."""
    if not path.exists():
        write(path, make(), mode)
    return path.read_text()


def write(path: Path, text: str, mode: int) -> None:
    """Write the file whole or not at all, and at no moment readable to more than `mode` says."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, mode)  # what a umask would take away
        file.write(text)
    draft.replace(path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"expected the folder of the secrets, as in: {sys.argv[0]} /secrets")
    main(Path(sys.argv[1]))
