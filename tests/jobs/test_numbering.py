"""Interactions that another run writes between two steps of a night."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from schemas.errors import UserError
from tests.jobs.homes import Home
from tests.tiny_shop import empty_shop

DS, LATER = date(1998, 3, 4), date(1998, 3, 6)


def test_a_night_whose_history_changed_stops_and_leaves_no_history_of_old_numbers(
    tmp_path: Path, spark_variables: Mapping[str, str]
) -> None:
    """u9 comes late, and is numbered before u8: with the numbers of before, u8's would be u9's."""
    source = empty_shop(tmp_path / "source")
    source.add(*((f"u{u}", f"i{i}", "4", 1) for u in range(3) for i in range(6)))
    source.add(("u0", "i6", "2", 2), ("u8", "i1", "3", 4))
    home = Home(folder=tmp_path / "home", source=source.folder, spark=spark_variables)
    for step in ("ingest", "build_profiles"):
        home.step(step, DS)
    source.add(("u9", "i2", "5", 2))
    with (source.folder / "users.csv").open("a") as users:
        users.write("u9,Town\n")
    home.step("ingest", LATER)

    with pytest.raises(UserError, match=r"have changed since .*numbered.*ingest --ds 1998-03-04"):
        home.step("build_episodes", DS)
    assert home.lake.days("timelines", until=LATER) == {}
    with pytest.raises(UserError, match=r"users of ds 1998-03-04 lacks some .*ingest"):
        home.step("build_profiles", DS)

    for step in ("ingest", "build_profiles", "build_episodes"):
        home.step(step, DS)
    assert [*home.lake.days("timelines", until=LATER)] == [DS]
