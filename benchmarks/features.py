"""How long the night's features take on made-up data of several sizes, beside DuckDB by hand.

    python -m benchmarks.features --json FILE [--sizes 1e6,1e7]

Each size is made up once (jobs/tools/synthesise.py) and goes through the night's own steps, a
process each on a Spark server. The modes:

- `profiles+episodes`: build_profiles and build_episodes; the reference is features_reference.sql,
  from the same Parquet files on the same machine, and must have made the same rows;
- `full night features`: these and ingest, from a source to an empty lake;
- `incremental`: the same three steps for the last day, on a lake that the night before left; the
  reference is the full night;
- `check of interactions`, `check of features`: the checks of the full night, and the former also of
  the incremental one; the reference is the steps that they guard;
- `lopsided`: the full night again, on a source that has a fifth more events: of one user as many as
  a tenth of all, at most a million, and with one item a tenth (benchmarks/inputs/skew.py).
"""

from __future__ import annotations

import argparse
import logging
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from benchmarks.inputs import night_steps, skew
from benchmarks.inputs.night_steps import Server
from benchmarks.records import Record, write_json
from benchmarks.yardsticks import features_comparison, features_reference
from schemas.dataset import choice as dataset_choice
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import (
    BUILD_EPISODES,
    BUILD_METAPATHS,
    BUILD_PROFILES,
    CHECK_FEATURES,
    CHECK_INTERACTIONS,
    INGEST,
)
from schemas.run import command_line
from schemas.step import Step

log = logging.getLogger("benchmarks.features")

DAYS = 100  # so that a day adds about one in a hundred
DS = date(2024, 4, 9)  # the last of them
_STEPS = (INGEST, BUILD_PROFILES, BUILD_EPISODES)
_CHECKS = (CHECK_INTERACTIONS, BUILD_METAPATHS, CHECK_FEATURES)


def main(arguments: list[str] | None = None) -> int:
    """Write the records of all `--sizes` to `--json`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.features", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    parser.add_argument("--sizes", type=sizes, default="1e6,1e7", help="interactions, by commas")
    options = parser.parse_args(arguments)
    return command_line.run(
        lambda: write_json(options.json, (r for size in options.sizes for r in measure(size)))
    )


def sizes(text: str) -> list[int]:
    """Numbers by commas, `1e6` being one."""
    return [int(float(size)) for size in text.split(",")]


def measure(interactions: int) -> Iterator[Record]:
    """The records of one size, all on made-up data that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        source, fresh, grown = home / "source", home / "fresh", home / "grown"
        with night_steps.spark_server(home / "of-preparation") as server:
            _synthesise(source, interactions, server)
            before = (*_STEPS, _CHECKS[0])
            _night(DS - timedelta(days=1), source, grown, server, steps=before)
        with night_steps.spark_server(home / "of-full-night") as server:
            full = _night(DS, source, fresh, server)
            peak = server.peak_mib()
            checks = _night(DS, source, fresh, server, steps=_CHECKS)
        reference_seconds = _reference(fresh, home / "reference")
        with night_steps.spark_server(home / "of-incremental") as server:
            further = _night(DS, source, grown, server)
            incremental_peak = server.peak_mib()
            further_check = _night(DS, source, grown, server, steps=_CHECKS[:1])
        skew.add(source, **_numbers(interactions))
        with night_steps.spark_server(home / "of-lopsided") as server:
            lopsided = sum(_night(DS, source, home / "lopsided", server).values())
            lopsided_peak = server.peak_mib()
    features, whole = sum(full.values()) - full[INGEST], sum(full.values())
    guarded = features + checks[BUILD_METAPATHS]
    for mode, seconds, reference, peak_mib in (
        ("profiles+episodes", features, reference_seconds, peak),
        ("full night features", whole, None, peak),
        ("incremental", sum(further.values()), whole, incremental_peak),
        ("check of interactions", checks[CHECK_INTERACTIONS], full[INGEST], None),
        (
            "check of interactions, incremental",
            further_check[CHECK_INTERACTIONS],
            further[INGEST],
            None,
        ),
        ("check of features", checks[CHECK_FEATURES], guarded, None),
        ("lopsided", lopsided, whole, lopsided_peak),
    ):
        record = {
            "interactions": interactions,
            "mode": mode,
            "seconds": round(seconds, 1),
            "reference_seconds": reference and round(reference, 1),
            "ratio": reference and round(seconds / reference, 2),
            "peak_driver_mib": peak_mib,
        }
        log.info("%s", record)
        yield record


def _synthesise(source: Path, interactions: int, server: Server) -> None:
    numbers = {**_numbers(interactions), "days": DAYS, "seed": 1}
    options = [text for name, number in numbers.items() for text in (f"--{name}", str(number))]
    seconds = night_steps.run(["synthesise", *options, "--to", str(source)], server.variables)
    log.info("%s interactions made up in %.1f s", f"{interactions:,}", seconds)


def _numbers(interactions: int) -> dict[str, int]:
    """As many items as make the most active user's possible; a user has 50 ratings on average."""
    users, items = interactions // 50, 10 * math.isqrt(interactions)
    return {"users": users, "items": items, "interactions": interactions}


def _night(
    ds: date, source: Path, home: Path, server: Server, steps: Sequence[Step] = _STEPS
) -> dict[Step, float]:
    """Run steps of the night, those that make features unless told others; the seconds of each."""
    variables = {
        **server.variables,
        "COLDSTART_HOME": str(home),
        "COLDSTART_SOURCE": str(source),
    }
    seconds = {step: night_steps.run([step.name, "--ds", str(ds)], variables) for step in steps}
    log.info("%s: %s", ds, ", ".join(f"{step.name} {s:.1f} s" for step, s in seconds.items()))
    return seconds


def _reference(home: Path, into: Path) -> float:
    """The seconds of the reference on the lake in `home`; an error when its rows are others."""
    into.mkdir()
    lake = Lake(root=home / "lake")
    spec = dataset_choice.of_lake(lake.root)
    seconds = features_reference.run(lake, spec, DS, into)
    night = {table: lake.version(table, DS) for table in features_comparison.COLUMNS}
    if found := list(features_comparison.differences(night, into)):
        raise UserError(
            f"the night's features differ from the reference's: {'; '.join(found)}. One of "
            "jobs/transforms and features_reference.sql is wrong; correct it before you measure."
        )
    log.info("the reference made the same rows in %.1f s", seconds)
    return seconds


if __name__ == "__main__":
    sys.exit(main())
