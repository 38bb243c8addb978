"""The Spark session of a step: a client of a running Connect server, or a driver of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from jobs.spark.errors import is_driver_gone, translated
from jobs.spark.java import IN_UTC, java_home, with_java_options
from jobs.spark.java_locale import for_any_name
from schemas.run.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql.connect.client.retries import RetryPolicy

# What results depend on: every session has it, whoever started the server or the cluster, and
# whatever COLDSTART_SPARK_PROPERTIES says.
SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # Spark's default is INT96
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.caseSensitive": "true",  # a source may have `stars` and `Stars`
    # pandas writes nanoseconds, which Spark has no type for: they come as numbers, which
    # jobs/sources/formats/parquet.py understands.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    # A history is thousands of folders; listing them by a job costs more than listing them.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "10000",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "128m",
}
_LOGGING = Path(__file__).with_name("log4j2.properties")
_DRIVER = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "16",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "spark.driver.defaultJavaOptions": f"{IN_UTC} '-Dlog4j2.configurationFile={_LOGGING}'",
    "spark.executor.defaultJavaOptions": IN_UTC,
}


@contextmanager
def spark_session(settings: Settings) -> Iterator[SparkSession]:
    """A session on `settings.spark`, stopped when the block ends.

    A full disk leaves the block as an `OSError`, a damaged file of the lake as a `UserError`.
    """
    if settings.spark.startswith("local"):  # a cluster's workers must reach the driver
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("coldstart")
    is_remote = settings.spark.startswith("sc://")
    if is_remote:
        builder = builder.remote(settings.spark)
        configuration = SESSION
    else:
        os.environ["JAVA_HOME"] = str(java_home(settings.home))
        os.environ.update(for_any_name(os.environ))
        builder = builder.master(settings.spark)
        configuration = with_java_options(
            {
                **_DRIVER,
                "spark.sql.warehouse.dir": str(settings.home / "spark-warehouse"),
                "spark.jars": settings.spark_jars,
            },
            settings.spark_properties,
        )
        configuration.update(SESSION)
    for key, value in configuration.items():
        builder = builder.config(key, value)
    # On a server, a session of the step's own: stopping it must not end another one's.
    session = builder.create() if is_remote else builder.getOrCreate()
    if is_remote:
        session.client.set_retry_policies([_retries()])  # type: ignore[operator]
    is_alive = True
    try:
        yield session
    except Exception as error:
        is_alive = not is_driver_gone(error)
        if (meaning := translated(error, settings.lake)) is None:
            raise
        raise meaning from error
    finally:
        if is_alive:
            session.stop()
        if is_remote:
            # Collected as garbage, a stopped session closes its client once more, in whatever
            # thread that happens, and waits there for the requests of all other sessions: a
            # deadlock in the thread that serves them (SPARK-55362, fixed after 4.1).
            vars(session.client)["close"] = lambda: None  # type: ignore[index, operator]


def _retries() -> RetryPolicy:
    """How often a request is sent again to a server that does not answer: for about 20 seconds.

    The client's own policy takes ten minutes to tell that the server is no more.
    """
    from pyspark.sql.connect.client.retries import DefaultPolicy

    return DefaultPolicy(max_retries=7, initial_backoff=50, backoff_multiplier=4, max_backoff=5000)
