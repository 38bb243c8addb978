"""The page of features: seconds and memory of the Spark steps beside a reference in DuckDB."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.pages.markdown import page, shown, table
from benchmarks.records import Record


def text(found: Sequence[Record]) -> str:
    """The page docs/benchmarks/features.md in Markdown, a row for each record."""
    keys = ("mode", "interactions", "seconds", "reference_seconds", "ratio", "peak_driver_mib")
    rows = [[shown(record[key]) for key in keys] for record in found]
    return page(
        "Features",
        "`python -m benchmarks.features --json docs/benchmarks/features.json`: data made up by "
        "`python -m jobs synthesise`, 100 days of it, 50 interactions a user. Seconds are those of "
        "the steps' processes, start to end, on a Spark server that is up, as the night runs them; "
        "the peak is the most memory that the server ever held, a JVM that is driver and executor "
        "(heap at most 3 GiB).",
        found,
        table(("mode", "interactions", "seconds", "reference, s", "ratio", "peak MiB"), rows),
        "`profiles+episodes` is build_profiles and build_episodes; its reference is "
        "benchmarks/yardsticks/features_reference.sql, written by hand for DuckDB, which reads "
        "and writes the same Parquet files and makes the same statistics and episodes, row for "
        "row (the benchmark "
        "fails if they differ). It does not make features, vocabulary, titles and sealed versions, "
        "needs no process for each step, and is given the ids of the validation users. `full night "
        "features` adds ingest, from a source to an empty lake. `incremental` is the same three "
        "steps for one more day, on a lake that the night before left, and its reference the full "
        "night. The checks are Great Expectations' and guard the steps of their reference: of "
        "interactions, ingest, and of features, build_profiles, build_episodes and "
        "build_metapaths; some 6 s of each are the start of the library and of its first queries. "
        "`lopsided` is the full night on a source with a fifth more events: one user has a tenth "
        "of all, at most a million, and one item another tenth.",
    )
