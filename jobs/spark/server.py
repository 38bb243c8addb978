"""A Spark Connect server for one machine, so that a night pays for one JVM start and not for six.

    SPARK_CONNECT_AUTHENTICATE_TOKEN=... python -m jobs spark-server --port 15002

It listens on 127.0.0.1 only, and refuses clients that do not send the token. Clients set the same
variable and connect to `sc://localhost:PORT`: the name matters, because PySpark sends a token over
a channel without TLS to the host `localhost` and to no other.
"""

from __future__ import annotations

import ctypes
import fcntl
import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from jobs.spark.java import IN_UTC, java_home, with_java_options
from jobs.spark.java_locale import for_any_name
from schemas.errors import UserError
from schemas.run.settings import Settings
from schemas.run.team_file import variables

TOKEN_VARIABLE = "SPARK_CONNECT_AUTHENTICATE_TOKEN"  # noqa: S105 - a name, not a password
MEMORY_VARIABLE = "COLDSTART_SPARK_MEMORY"
_SERVER_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
_PR_SET_PDEATHSIG = 1  # from <linux/prctl.h>

_LOG4J2 = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n
"""


def serve(port: int, environment: Mapping[str, str] = os.environ) -> NoReturn:
    """Become the server: this process is replaced by it, and ends when the server does.

    One server at a time may use a home (`COLDSTART_HOME`), which holds all that it writes. On
    Linux it ends with the process that started it, however that one ends.
    """
    if not environment.get(TOKEN_VARIABLE):
        raise UserError(
            f"{TOKEN_VARIABLE} is not set; expected a secret which server and clients share. "
            "Set it in the environment of both."
        )
    _end_with_parent()
    settings = Settings.from_environment(environment)
    state = settings.home
    folder = state / "spark-server"
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder)
    scratch = folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)  # what a killed server left
    scratch.mkdir()
    (folder / "log4j2.properties").write_text(_LOG4J2)
    properties = folder / "spark.properties"
    memory = variables(environment)[MEMORY_VARIABLE]
    properties.write_text(_properties(port, folder, memory, settings))
    spark_home = _spark_home()
    submit = spark_home / "bin" / "spark-submit"
    os.chdir(scratch)  # whatever Spark names by a relative path stays out of the caller's folder
    os.execve(  # noqa: S606 - an argument list, no shell
        submit,
        [
            str(submit),
            "--properties-file",
            str(properties),
            "--class",
            _SERVER_CLASS,
            "spark-internal",
        ],
        {
            **_without_foreign_spark(environment),
            **for_any_name(environment),
            "JAVA_HOME": str(java_home(state, environment)),
            "SPARK_HOME": str(spark_home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": sys.executable,
        },
    )


def _properties(port: int, folder: Path, memory: str, settings: Settings) -> str:
    scratch = folder / "scratch"
    java_options = (
        # Of two collectors the one with more throughput: no user waits for the server's pauses.
        f"-XX:+UseParallelGC '-Dlog4j2.configurationFile={folder / 'log4j2.properties'}' "
        f"'-Djava.io.tmpdir={scratch}' '-Dderby.system.home={scratch}' {IN_UTC}"
    )
    properties = {
        "spark.app.name": "coldstart",
        "spark.master": settings.spark if settings.spark.startswith("local") else "local[*]",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": memory,
        "spark.driver.extraJavaOptions": java_options,
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
        "spark.jars": settings.spark_jars,
        "spark.local.dir": scratch,
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": 2 * (os.cpu_count() or 1),
        "spark.sql.warehouse.dir": scratch / "warehouse",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    return "".join(
        f"{name}={_escaped(value)}\n"
        for name, value in with_java_options(properties, settings.spark_properties).items()
    )


def _escaped(value: str) -> str:
    """A value of a Java properties file, in which a backslash starts an escape."""
    return value.replace("\\", "\\\\")


def _claim(folder: Path) -> None:
    """Hold `folder` for as long as this process, and what it becomes, lives."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(
            f"a Spark server already uses {folder}; expected one at a time. "
            "Stop it, or set COLDSTART_HOME to another folder."
        ) from None
    os.set_inheritable(lock, True)


def _end_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends; the request survives `exec`."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # the parent ended before the kernel heard of us
        sys.exit("the process that started the Spark server has ended")


def _spark_home() -> Path:
    spec = importlib.util.find_spec("pyspark")  # finds it without importing it
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "the package pyspark is not installed here; run `make nightly`, which installs it."
        )
    return Path(spec.submodule_search_locations[0])


def _without_foreign_spark(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without another Spark installation's settings, which would mix with ours."""
    foreign = ("SPARK_CONF_DIR", "SPARK_REMOTE", "SPARK_MASTER", "SPARK_SUBMIT_OPTS")
    return {name: value for name, value in environment.items() if name not in foreign}
