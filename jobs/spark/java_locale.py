"""The locale that Spark's JVM needs: one in which it can open files of any name."""

from __future__ import annotations

from collections.abc import Mapping


def for_any_name(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables to add to an environment that may have LC_ALL=C, as cron and containers do.

    A JVM takes the encoding of file names from there, and in the C locale it has only ASCII.
    """
    chosen = next(filter(None, (environment.get(n) for n in ("LC_ALL", "LC_CTYPE", "LANG"))), "C")
    is_any = chosen.lower().replace("-", "").endswith("utf8")
    return {} if is_any else {"LC_ALL": "C.UTF-8"}
