"""An Airflow that is slow to answer: a loaded machine, in which nothing is wrong."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from threading import Event, Thread

import pytest

from local import airflow_api
from local.airflow_api import AirflowApi
from schemas.errors import UserError

DAY = date(1998, 3, 31)
RUNS = b'{"dag_runs": []}'


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A port at which the kernel takes connections; a test may answer them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def busy(server: socket.socket, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    """A port at which nobody answers in the time there is."""
    monkeypatch.setattr(airflow_api, "_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(airflow_api, "_PATIENCE_SECONDS", 0.5)
    return server


def api_at(server: socket.socket) -> AirflowApi:
    return AirflowApi(url=f"http://127.0.0.1:{server.getsockname()[1]}", password="", _token="t")


def answer_all_but_the_first(server: socket.socket, done: Event) -> None:
    unanswered, _ = server.accept()
    server.settimeout(0.05)
    with unanswered:
        while not done.is_set():
            with suppress(OSError):  # nobody asks just now, or has hung up by now
                answered, _ = server.accept()
                with answered:
                    answered.recv(4096)
                    answered.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + RUNS)


def test_a_question_is_asked_again(busy: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow_api, "_PATIENCE_SECONDS", 60)
    done = Event()
    late = Thread(target=answer_all_but_the_first, args=(busy, done))
    late.start()
    try:
        assert api_at(busy).run_states(DAY, DAY) == {}
    finally:
        done.set()
        late.join(60)


def answer_two_pages(server: socket.socket, asked: list[str]) -> None:
    for number in range(2):
        connection, _ = server.accept()
        with connection:
            asked.append(connection.recv(4096).decode().splitlines()[0])
            run = {"state": "success", "logical_date": f"1998-03-3{number}T00:00:00Z"}
            page = {"dag_runs": [run], "total_entries": 2}
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(page).encode())


def test_more_runs_than_a_page_holds_are_all_seen(server: socket.socket) -> None:
    """Airflow cuts its answer at a page, so that a long backfill would never be seen to end."""
    asked: list[str] = []
    pages = Thread(target=answer_two_pages, args=(server, asked), daemon=True)
    pages.start()
    found = api_at(server).run_states(date(1998, 3, 30), DAY)
    pages.join(60)
    assert found == {date(1998, 3, 30): "success", DAY: "success"}
    assert ["offset=0" in asked[0], "offset=1" in asked[1]] == [True, True]


def test_no_answer_is_reported_in_words(busy: socket.socket) -> None:
    api = api_at(busy)
    assert not api.is_up()
    with pytest.raises(UserError, match=r"did not answer GET /api/v2/dags/.* in 0.5 s; expected"):
        api.run_states(DAY, DAY)


def test_a_backfill_is_asked_for_once(busy: socket.socket) -> None:
    """Airflow may have begun it: asked twice, it would refuse, or do all twice."""
    with pytest.raises(UserError, match=r"POST /api/v2/backfills in 0.2 s"):
        api_at(busy).create_backfill(DAY, DAY, {})
    busy.settimeout(0.2)
    busy.accept()[0].close()
    with pytest.raises(TimeoutError):
        busy.accept()
