"""Under any locale Spark's JVM opens files whose names have letters beyond ASCII."""

from __future__ import annotations

import pytest

from jobs.spark.java_locale import for_any_name

UTF8 = {"LC_ALL": "C.UTF-8"}


@pytest.mark.parametrize(
    ("environment", "added"),
    [
        ({}, UTF8),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, UTF8),
        ({"LANG": "POSIX"}, UTF8),
        ({"LC_CTYPE": "de_DE.ISO-8859-1"}, UTF8),
        ({"LC_ALL": "", "LANG": "de_DE.UTF-8"}, {}),
        ({"LC_ALL": "C.utf8", "LANG": "C"}, {}),
    ],
)
def test_a_locale_with_all_letters(environment: dict[str, str], added: dict[str, str]) -> None:
    assert for_any_name(environment) == added
