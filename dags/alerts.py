"""One readable message when a step fails, a model is refused or a night is late.

It goes to the log, and to each Airflow connection that `COLDSTART_ALERT_CONNECTIONS` names, by
commas: mail by one of type `smtp` (its extra says `from_email` and `to`), a webhook by one of type
`http`, which gets {"text": message}, as chat servers take it (host and path in its host or schema,
a bearer token in its password).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from step_operator import ds_of

from schemas.errors import UserError
from schemas.run import decision
from schemas.run.settings import Settings
from schemas.run.team_file import variables

if TYPE_CHECKING:
    from airflow.sdk import Connection, Context

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 10


def failed(context: Context) -> None:
    """A step failed for good: which, of which day, why, and where to read on."""
    task, error = context["ti"], context.get("exception")
    alert(
        f"{task.dag_id}: {task.task_id} failed for ds {_ds(context)} (try {task.try_number})\n"
        f"reason: {error or 'it ended without a word (killed, or out of memory?)'}\n"
        f"log: {task.log_url}\n"
        "what to do: docs/operations.md"
    )


def kept_champion(context: Context) -> None:
    """The gate refused a night's own model: it went well, but somebody should look."""
    ds = ds_of(context["params"], context["dag_run"].logical_date)
    decided, _ = decision.require(Settings.from_environment(), ds, context["params"]["model"])
    if decided.verdict == "champion" and not decided.by_hand:
        task = context["ti"]
        alert(f"{task.dag_id}: the gate of ds {ds} {decided.text}\nlog: {task.log_url}")


def late(context: Mapping[str, Any]) -> None:
    """A scheduled night is not done by its deadline."""
    run = context["dag_run"]
    alert(
        f"{run['dag_id']}: {run['dag_run_id']} is late, and still {run['state']}\n"
        f"expected by: {context['deadline']['deadline_time']}\n"
        "what to do: docs/operations.md"
    )


def alert(message: str) -> None:
    """Log and send; a message that cannot be sent fails nothing but itself."""
    log.error("%s", message)
    for name in variables().get("COLDSTART_ALERT_CONNECTIONS", "").split(","):
        if name := name.strip():
            try:
                _send(BaseHook.get_connection(name), message)
            except Exception:
                log.exception("the alert could not be sent by the connection %s", name)


def _send(connection: Connection, message: str) -> None:
    if connection.conn_type == "smtp":
        _mail(connection, message)
    elif connection.conn_type == "http":
        _post(connection, message)
    else:
        raise ValueError(f"its type is {connection.conn_type!r}, expected smtp or http")


def _mail(connection: Connection, message: str) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook  # takes a while to import

    with SmtpHook(smtp_conn_id=connection.conn_id) as hook:
        hook.send_email_smtp(
            to=connection.extra_dejson["to"],
            subject=message.splitlines()[0],
            html_content=f"<pre>{_escaped(message)}</pre>",
        )


def _post(connection: Connection, message: str) -> None:
    import httpx  # a dependency of Airflow's own

    host = connection.host or ""
    url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    if connection.port:
        url = str(httpx.URL(url).copy_with(port=connection.port))
    token = connection.password
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.post(url, json={"text": message}, headers=headers, timeout=_TIMEOUT_SECONDS)
    answer.raise_for_status()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _ds(context: Context) -> str:
    try:
        return str(ds_of(context["params"], context["dag_run"].logical_date))
    except UserError:
        return "unknown"
