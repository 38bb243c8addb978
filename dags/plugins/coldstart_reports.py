"""Shows `$COLDSTART_HOME/reports` in Airflow, to those who may see the DAG's runs.

The nightly reports and the Data Docs are files; a browser that shows Airflow's pages opens no file
of the server. So Airflow's own server hands them out, at /coldstart/reports/.
"""

from __future__ import annotations

from urllib.parse import quote

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from schemas.run.settings import Settings

PREFIX = "/coldstart"

# A report needs no script; Data Docs bring theirs along.
_POLICY = "default-src 'self' 'unsafe-inline' data:; frame-ancestors 'self'"

app = FastAPI(title="coldstart reports", docs_url=None, redoc_url=None, openapi_url=None)
may_see_runs = requires_access_dag("GET", DagAccessEntity.RUN, "coldstart_nightly")


@app.get("/reports/{name:path}", dependencies=[Depends(may_see_runs)])
def report(name: str) -> FileResponse:
    """A file under the reports' folder, and nothing outside it."""
    folder = (Settings.from_environment().home / "reports").resolve()
    file = (folder / name).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        raise HTTPException(404, f"there is no report {name!r}; a night writes it as its last step")
    return FileResponse(file, headers={"Content-Security-Policy": _POLICY})


@app.exception_handler(401)
async def log_in(request: Request, _error: Exception) -> Response:
    """To the login page, and back."""
    login = get_auth_manager().get_url_login()
    return RedirectResponse(f"{login}?next={quote(str(request.url), safe='')}", status_code=303)


class ColdstartReports(AirflowPlugin):
    """Serves the reports' folder in Airflow's own web server, under `PREFIX`."""

    name = "coldstart_reports"
    fastapi_apps = [{"app": app, "url_prefix": PREFIX, "name": "coldstart reports"}]  # noqa: RUF012
