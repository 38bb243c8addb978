"""Sessions on one server come and go without disturbing each other."""

from __future__ import annotations

import gc
from threading import Thread

from jobs.spark.session import spark_session
from schemas.run.settings import Settings


def test_a_stopped_session_that_is_collected_leaves_the_others_alone(settings: Settings) -> None:
    """All sessions share the client's threads: closed once more, they would be gone."""
    with spark_session(settings) as other:
        other.range(3).collect()
        with spark_session(settings) as stopped:
            stopped.range(3).collect()
        other.range(3).collect()
        pool = _release_threads()
        del stopped
        collector = Thread(target=gc.collect)
        collector.start()
        collector.join(timeout=30)
        assert not collector.is_alive()
        assert _release_threads() is pool is not None
        assert len(other.range(3).collect()) == 3


def _release_threads() -> object:
    from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator

    return ExecutePlanResponseReattachableIterator._release_thread_pool_instance
