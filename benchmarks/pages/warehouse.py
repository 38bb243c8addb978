"""The page of the warehouse: a publication beside a bare load, and what readers notice of it."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.pages.markdown import page, shown, table
from benchmarks.records import Record


def text(found: Sequence[Record]) -> str:
    """The page docs/benchmarks/warehouse.md in Markdown, a row for each record."""
    keys = (
        "engine", "rows", "seconds", "reference_seconds", "ratio", "peak_mib",
        "reader_p95_ms_idle", "reader_p95_ms_publishing", "partial_reads",
    )  # fmt: skip
    header = (
        "engine", "rows", "seconds", "bare load, s", "ratio", "peak MiB",
        "readers' p95 idle, ms", "publishing, ms", "partial reads",
    )  # fmt: skip
    return page(
        "Warehouse",
        "`python -m benchmarks.warehouse --json docs/benchmarks/warehouse.json`: a publication of "
        "all products, `rows` of them in cold_user_scores, from Parquet in the lake to the "
        "swap, checks, keys and indexes included. The bare load is the same rows of "
        "cold_user_scores as analysts see them, into a table without any of that: in PostgreSQL "
        "by binary COPY (ADBC), in DuckDB by its own insert from Arrow. The fastest of three "
        "rounds, in turns; one round above ten million rows.",
        found,
        table(header, [[shown(record[key]) for key in keys] for record in found]),
        "The peak is that of the publishing process, with the libraries it loads; DuckDB works in "
        "it, PostgreSQL is another process. The readers are eight, each asking the latest views "
        "again as soon as it has its answer (the list, a user's scores, their runs), on the same "
        "cores as the publication; of DuckDB each opens the file anew. A partial read would have "
        "seen less than a whole ds, or rows of two runs.",
    )
