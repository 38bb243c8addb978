"""Whether a service says that it is well: exit code 0, or 1 and why.

    python docker/scripts/healthy.py URL [PATH=VALUE]

URL answers with JSON in which PATH (names, by dots) is VALUE. Airflow's own `airflow jobs check`
asks the same, and needs seconds of a core for it, every time.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from functools import reduce

_TIMEOUT_SECONDS = 5


def main(url: str, expectation: str = "") -> str | None:
    """What is wrong, if anything is."""
    try:
        # S310 warns of file: addresses; this one is in compose.yaml.
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            said = json.load(answer)
    except (OSError, ValueError) as error:  # nobody there, an HTTP error; no JSON
        return f"{url} does not answer: {error}"
    if not expectation:
        return None
    path, _, expected = expectation.partition("=")
    try:
        found = reduce(lambda value, name: value[name], path.split("."), said)
    except (KeyError, TypeError):
        return f"{url} says nothing of {path}"
    return None if str(found) == expected else f"{path} is {found}; expected {expected}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
