"""The locale that Spark's JVM needs: one in which it can open files of any name."""

from __future__ import annotations

from collections.abc import Mapping


def for_any_name(environment: Mapping[str, str]) -> dict[str, str]:
    """What to add to the environment, in which LC_ALL=C may stand, as of cron or a container.

    A JVM takes the encoding of file names from there, and in the C locale it has only ASCII.
    """
    chosen = next(filter(None, (environment.get(n) for n in ("LC_ALL", "LC_CTYPE", "LANG"))), "C")
    is_any = chosen.lower().replace("-", "").endswith("utf8")
    return {} if is_any else {"LC_ALL": "C.UTF-8"}
