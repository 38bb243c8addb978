"""Airflow's web interface on this machine: `python -m local ui`."""

from __future__ import annotations

import signal
from contextlib import suppress

from local.airflow_environment import USERS, AirflowHome
from local.processes import free_port
from local.services import airflow, fetch, migrate, single_instance, spark_server
from schemas.run.settings import Settings

PREFERRED_PORT = 8080


def ui(settings: Settings, *, scheduled: bool) -> int:
    """Serve until Ctrl-C or SIGTERM; the exit code."""
    port = free_port(PREFERRED_PORT)
    with single_instance(settings, "ui"), spark_server(settings) as spark:
        if code := fetch(settings):
            return code
        migrate(settings)
        spark.wait_until_up()
        with airflow(
            settings, port=port, scheduled=scheduled, variables=spark.variables, resumes=True
        ):
            print(f"Airflow is at http://127.0.0.1:{port}")
            for user, password in AirflowHome.of(settings).passwords().items():
                print(f"  log in as {user} with {password} ({USERS[user]})")
            print(
                "the nightly schedule is "
                + ("on" if scheduled else "off (SCHEDULE=on turns it on)")
            )
            print("Ctrl-C stops it", flush=True)
            with suppress(KeyboardInterrupt):  # the way a user interface ends
                signal.pause()
            print("stopping", flush=True)
    return 0
