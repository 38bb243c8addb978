"""Pip's settings of package indexes, as settings of uv, which reads none of pip's files.

A machine that installs from a mirror, or from wheels on a disk, has this in the settings of pip.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Mapping
from pathlib import Path

# pip's option -> uv's variable
_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "constraint": "UV_CONSTRAINT",
    "cert": "SSL_CERT_FILE",
}
_SECTIONS = ("global", "install", ":env:")  # each overrides the ones before


def for_uv(python: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that make uv install from where `python -m pip` would.

    What `environment` tells uv itself stays as it is. Nothing is printed: an index's address may
    hold a password.
    """
    found = _of_pip(python, environment)
    variables = {
        variable: ("," if option == "find-links" else " ").join(found[option].split())
        for option, variable in _VARIABLES.items()
        if option in found and variable not in environment
    }
    if "UV_INDEX" in variables:  # pip asks all of them for the best version, uv only the first
        variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return variables


def _of_pip(python: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """pip's settings by name; none where there is no pip."""
    asked = subprocess.run(
        [str(python), "-m", "pip", "config", "list"],
        env=dict(environment),
        capture_output=True,
        text=True,
    )
    settings: dict[str, str] = {}
    for section in _SECTIONS if asked.returncode == 0 else ():
        for line in asked.stdout.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}."):
                settings[name.removeprefix(f"{section}.")] = str(ast.literal_eval(value))
    return settings
