"""The few calls of Airflow's REST API that the local platform makes."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas import utc
from schemas.errors import UserError

DAG_ID = "coldstart_nightly"
UNENDED_STATES = ("queued", "running")
_TIMEOUT_SECONDS = 30
# An overloaded machine answers late. A GET changes nothing, so it is repeated for this long.
_PATIENCE_SECONDS = 300
_PAGE = 100  # Airflow gives no more at once, whatever is asked for


@dataclass(kw_only=True)
class AirflowApi:
    """A client of one Airflow, logged in at its first call."""

    url: str
    password: str
    user: str = "admin"
    _token: str | None = None

    def is_up(self) -> bool:
        """Whether the API server answers at all; its scheduler may still be starting."""
        try:
            self._answer("GET", "/api/v2/version", {}, None)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True

    def knows_dag(self) -> bool:
        """Whether the DAG has been read into Airflow's database."""
        try:
            self._call("GET", f"/api/v2/dags/{DAG_ID}")
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return False
            raise
        return True

    def create_backfill(self, first: date, last: date, params: dict[str, Any]) -> int:
        """Start a backfill of all days from `first` to `last`, run before or not, one by one.

        Raises UserError, in Airflow's words, when Airflow refuses.
        """
        body = {
            "dag_id": DAG_ID,
            "from_date": f"{first}T00:00:00Z",
            "to_date": f"{last}T00:00:00Z",
            "max_active_runs": 1,
            "reprocess_behavior": "completed",
            "dag_run_conf": params,
            "run_backwards": False,
        }
        try:
            identifier: int = self._call("POST", "/api/v2/backfills", body)["id"]
        except urllib.error.HTTPError as error:
            reason = error.read().decode(errors="replace")
            raise UserError(f"Airflow refuses a backfill of {first} to {last}: {reason}") from error
        return identifier

    def open_backfills(self) -> list[int]:
        """Those that Airflow has not closed, up to half a minute after their last run has ended.

        It refuses another one meanwhile.
        """
        backfills = self._all("/api/v2/backfills", "backfills", {"dag_id": DAG_ID})
        return [backfill["id"] for backfill in backfills if backfill["completed_at"] is None]

    def run_states(self, first: date, last: date) -> dict[date, str]:
        """The state of the run of each day in the range that has one."""
        return {day: run["state"] for day, run in self._by_day(first, last).items()}

    def run_ids(self, first: date, last: date) -> dict[date, str]:
        """Airflow's id of the run of each day in the range that has one."""
        return {day: run["dag_run_id"] for day, run in self._by_day(first, last).items()}

    def abandon_leftovers(self) -> None:
        """Mark as failed what a killed launcher left unended, so that no scheduler resumes it."""
        if not self.knows_dag():
            return
        for identifier in self.open_backfills():
            self._call("PUT", f"/api/v2/backfills/{identifier}/cancel")
        for state in UNENDED_STATES:
            for run in self._runs({"state": state}):
                run_id = urllib.parse.quote(run["dag_run_id"], safe="")
                self._call("PATCH", f"/api/v2/dags/{DAG_ID}/dagRuns/{run_id}", {"state": "failed"})

    def _by_day(self, first: date, last: date) -> dict[date, dict[str, Any]]:
        window = {"logical_date_gte": f"{first}T00:00:00Z", "logical_date_lte": f"{last}T00:00:00Z"}
        return {utc.day_of(utc.read(run["logical_date"])): run for run in self._runs(window)}

    def _runs(self, query: dict[str, str]) -> list[dict[str, Any]]:
        return self._all(f"/api/v2/dags/{DAG_ID}/dagRuns", "dag_runs", query)

    def _all(self, path: str, name: str, query: dict[str, str]) -> list[dict[str, Any]]:
        """What Airflow has of this name, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            page = {**query, "limit": str(_PAGE), "offset": str(len(found)), "order_by": "id"}
            answer = self._call("GET", f"{path}?{urllib.parse.urlencode(page)}")
            found += answer[name]
            if not answer[name] or len(found) >= answer["total_entries"]:
                return found

    def _log_in(self) -> str:
        body = {"username": self.user, "password": self.password}
        token: str = self._call("POST", "/auth/token", body, authorized=False)["access_token"]
        return token

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, authorized: bool = True
    ) -> Any:
        headers = {"Content-Type": "application/json"}
        if authorized:
            self._token = self._token or self._log_in()
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        patience = _PATIENCE_SECONDS if method == "GET" else _TIMEOUT_SECONDS
        deadline = time.monotonic() + patience
        while True:
            try:
                return self._answer(method, path, headers, data)
            except TimeoutError as error:
                if time.monotonic() >= deadline:
                    raise UserError(
                        f"Airflow at {self.url} did not answer {method} {path} in {patience} s; "
                        "expected an answer within seconds. The machine may be overloaded. "
                        "Look at Airflow's log, and run the command again."
                    ) from error

    def _answer(self, method: str, path: str, headers: dict[str, str], data: bytes | None) -> Any:
        # S310 warns of file: addresses; this one is always http://127.0.0.1.
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):  # the same, while still connecting
                raise error.reason from error
            raise
