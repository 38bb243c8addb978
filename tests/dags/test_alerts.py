"""What a person on call is told: one readable message, wherever Airflow's connections send it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import alerts
import pytest
from aiosmtpd.controller import Controller

from schemas.run import decision
from schemas.run.decision import Decision
from schemas.run.settings import Settings

DS = date(1998, 3, 31)
OURS, THEIRS = f"{DS}.melu.0123456789ab", "1998-03-30.melu.ba9876543210"


def context(**more: Any) -> Any:
    task = SimpleNamespace(
        dag_id="coldstart_nightly",
        task_id="publish",
        try_number=4,
        log_url="http://127.0.0.1:8080/dags/coldstart_nightly/runs/r/tasks/publish",
    )
    dag_run = SimpleNamespace(logical_date=datetime(1998, 3, 31, tzinfo=UTC))
    return {"ti": task, "dag_run": dag_run, "params": {"ds": None, "model": "melu"}, **more}


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """A web server that keeps what it is sent, and the connection that leads there."""
    received: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append({"path": self.path, "body": json.loads(body), **dict(self.headers)})
            self.send_response(204)
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    connection = {
        "conn_type": "http",
        "host": f"http://127.0.0.1:{server.server_port}/chat/on-call",
        "password": "hunter2",
    }
    monkeypatch.setenv("AIRFLOW_CONN_CHAT", json.dumps(connection))
    yield received
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def mailbox(free_tcp_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """A mail server that keeps its mail, and the connection that leads there."""
    received: list[Any] = []

    class Keeping:
        async def handle_DATA(self, _server: Any, _session: Any, mail: Any) -> str:  # noqa: N802
            received.append((mail.rcpt_tos, message_from_bytes(mail.content)))
            return "250 OK"

    server = Controller(Keeping(), hostname="127.0.0.1", port=free_tcp_port)
    server.start()
    connection = {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": free_tcp_port,
        "extra": {
            **{"disable_ssl": True, "disable_tls": True, "retry_limit": 1, "timeout": 5},
            **{"from_email": "night@example.org", "to": "on-call@example.org"},
        },
    }
    monkeypatch.setenv("AIRFLOW_CONN_MAIL", json.dumps(connection))
    yield received
    server.stop()


def test_a_failure_says_which_step_of_which_day_why_and_where_to_read_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    alerts.failed(context(exception=RuntimeError("publish ended with exit code 1: no server")))
    [said] = [record.getMessage() for record in caplog.records]
    assert said.splitlines() == [
        "coldstart_nightly: publish failed for ds 1998-03-31 (try 4)",
        "reason: publish ended with exit code 1: no server",
        "log: http://127.0.0.1:8080/dags/coldstart_nightly/runs/r/tasks/publish",
        "what to do: docs/operations.md",
    ]


def test_a_run_without_a_day_and_without_a_word_is_reported_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    alerts.failed(context(dag_run=SimpleNamespace(logical_date=None)))
    assert "publish failed for ds unknown" in caplog.text
    assert "it ended without a word" in caplog.text


def test_it_is_sent_by_every_connection_that_is_named(
    webhook: list[Any], mailbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLDSTART_ALERT_CONNECTIONS", "chat, mail")
    alerts.alert("the night of <1998-03-31> failed\nreason: a & b")
    [posted] = webhook
    assert posted["path"] == "/chat/on-call"
    assert posted["body"] == {"text": "the night of <1998-03-31> failed\nreason: a & b"}
    assert posted["Authorization"] == "Bearer hunter2"
    [(recipients, mail)] = mailbox
    assert recipients == ["on-call@example.org"]
    assert mail["Subject"] == "the night of <1998-03-31> failed"
    [part] = [part for part in mail.walk() if not part.is_multipart()]
    assert b"&lt;1998-03-31&gt; failed\nreason: a &amp; b" in part.get_payload(decode=True)


def test_what_cannot_be_sent_stops_neither_the_task_nor_the_others(
    webhook: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_GONE", "http://127.0.0.1:9/nobody")
    monkeypatch.setenv("AIRFLOW_CONN_ODD", "ftp://127.0.0.1:9/nobody")
    monkeypatch.setenv("COLDSTART_ALERT_CONNECTIONS", "unknown,gone,odd,chat")
    alerts.alert("late")
    assert [posted["body"] for posted in webhook] == [{"text": "late"}]
    for name in ("unknown", "gone", "odd"):
        assert f"could not be sent by the connection {name}" in caplog.text
    assert "its type is 'ftp', expected smtp or http" in caplog.text


@pytest.mark.parametrize(
    ("verdict", "by_hand", "is_told"),
    [("champion", False, True), ("champion", True, False), ("challenger", False, False)],
)
def test_a_refused_model_is_reported_unless_somebody_chose_so(
    verdict: decision.Verdict,
    by_hand: bool,
    is_told: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("COLDSTART_HOME", str(tmp_path))
    decided = Decision(
        challenger=OURS,
        verdict=verdict,
        run_id=THEIRS if verdict == "champion" else OURS,
        reasons=("user_cold: MAE 0.9 is too much",),
        by_hand=by_hand,
    )
    decision.write(Settings.from_environment(), DS, decided)
    alerts.kept_champion(context())
    assert (f"kept the last published model, {THEIRS}" in caplog.text) == is_told


def test_a_late_night(caplog: pytest.LogCaptureFixture) -> None:
    run = {"dag_id": "d", "dag_run_id": "r", "run_type": "scheduled", "state": "running"}
    alerts.late(
        {"dag_run": run, "deadline": {"deadline_time": datetime(1998, 4, 1, 6, tzinfo=UTC)}}
    )
    assert "d: r is late, and still running\nexpected by: 1998-04-01 06:00:00" in caplog.text
