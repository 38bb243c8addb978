"""The pages in docs/benchmarks/: tables and plots, made of the JSON files beside them.

    python -m benchmarks.report

A page is made of docs/benchmarks/<name>*.json; `make benchmark` measures and then calls this.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.gpu import page as gpu_page
from benchmarks.pages import evidence as evidence_page
from benchmarks.pages import learners as learners_page
from benchmarks.pages import lists as lists_page
from benchmarks.pages import next_question as next_question_page
from benchmarks.pages import throughput as throughput_page
from benchmarks.pages.markdown import by_scenario, page, shown, table
from benchmarks.records import Record
from schemas.tables.lake import SCENARIOS

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"

# MAE as published, each on its own data split: shown beside ours, not compared with it.
PUBLISHED = (
    ("MeLU (Lee et al. 2019)", (0.757, 0.785, 0.928, 0.924)),
    ("MetaHIN (Lu et al. 2020)", (0.800, 0.787, 0.868, 0.859)),
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.parse_args(arguments)
    from benchmarks.pages import plots

    for name, made in pages(FOLDER).items():
        (FOLDER / f"{name}.md").write_text(made)
        print(f"docs/benchmarks/{name}.md")
    plots.write(FOLDER, {name: records(FOLDER, name) for name in PAGES})
    return 0


def pages(folder: Path) -> dict[str, str]:
    """The text of every page that there are records for."""
    made = {}
    for name, make in PAGES.items():
        found = records(folder, name)
        if found:
            made[name] = make(found)
    return made


def records(folder: Path, name: str) -> list[Record]:
    files = sorted(folder.glob(f"{name}*.json"))
    return [record for file in files for record in json.loads(file.read_text())]


def _scaling(found: Sequence[Record]) -> str:
    keys = ("mode", "tasks", "seconds", "peak_mib")
    rows = [[shown(record[key]) for key in keys] for record in found]
    return page(
        "Scaling",
        "`python -m benchmarks.scaling --json docs/benchmarks/scaling.json`: an epoch of training, "
        "reading and batching included, and scoring of the whole catalogue, at 1x, 4x and 16x "
        "tasks, one thread. Each line is a process of its own; the peak holds Python and PyTorch.",
        found,
        table(("mode", "tasks", "seconds", "peak MiB"), rows),
        "![Peak memory by number of tasks](scaling.svg)",
    )


def _accuracy(found: Sequence[Record]) -> str:
    parts = []
    for dataset in dict.fromkeys(record["dataset"] for record in found):
        of_dataset = [record for record in found if record["dataset"] == dataset]
        parts += [f"## {dataset}", *_accuracy_tables(of_dataset)]
        if dataset == "ml-1m":
            parts += [
                "MAE as published, each on its own split (so not comparable digit by digit):",
                table(
                    ("", *SCENARIOS),
                    [[name, *(f"{value:.3f}" for value in maes)] for name, maes in PUBLISHED],
                ),
            ]
        parts.append(f"![MAE beside the damped bias](accuracy-{dataset}.svg)")
    return page(
        "Accuracy",
        "`python -m benchmarks.accuracy --data DIR --dataset NAME --ablations --seeds 2 --json "
        "docs/benchmarks/accuracy-NAME.json`: trained on `train` alone for the configuration's "
        "epochs, adapted to each test task on its support, means over tasks. The splits' "
        "development halves; the configuration was chosen on them, so that the figures are "
        "somewhat too good, and the two seeds show how far chance moves them.",
        found,
        *parts,
    )


def _accuracy_tables(found: Sequence[Record]) -> Iterable[str]:
    own = [record for record in found if record["variant"] != "baseline"]
    full = [record for record in own if record["variant"] == "full"]
    tasks = ", ".join(f"{r['scenario']} {r['n_tasks']:,}" for r in full)
    yield f"Tasks: {tasks}."
    yield (
        "The model's MAE is that of its median rating, a whole level; so the damped bias is also "
        "shown rounded to a level, which alone lowers its MAE. The expected rating, whose RMSE and "
        "nDCG are shown, is to be compared with the damped bias as it is."
    )
    lines = (
        ("MAE", "mae", ".4f"),
        ("MAE before adaptation", "mae_before_adaptation", ".4f"),
        ("MAE, damped bias", "damped_bias_mae", ".4f"),
        ("MAE, damped bias rounded", "damped_bias_rounded_mae", ".4f"),
        ("MAE of the expected rating", "mae_of_expected", ".4f"),
        ("RMSE", "rmse", ".4f"),
        ("RMSE, damped bias", "damped_bias_rmse", ".4f"),
        ("nDCG@5", "ndcg5", ".4f"),
        ("nDCG@5, damped bias", "damped_bias_ndcg5", ".4f"),
    )
    yield table(
        ("full configuration", *SCENARIOS),
        [[title, *(f"{r[key]:{form}}" for r in full)] for title, key, form in lines]
        + [
            ["MAE against the damped bias", *_against(full, "damped_bias_mae")],
            ["MAE against it rounded", *_against(full, "damped_bias_rounded_mae")],
        ],
    )
    yield "Baselines, MAE / RMSE / nDCG@5:"
    baselines = [record for record in found if record["variant"] == "baseline"]
    yield by_scenario("baseline", "learner", baselines, ("mae", "rmse", "ndcg5"))
    yield "Variants, MAE / RMSE / nDCG@5:"
    yield by_scenario("variant", "variant", own, ("mae", "rmse", "ndcg5"))


def _against(found: Sequence[Record], key: str) -> list[str]:
    return [f"{record['mae'] / record[key] - 1:+.1%}" for record in found]


def _features(found: Sequence[Record]) -> str:
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


def _warehouse(found: Sequence[Record]) -> str:
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


PAGES: dict[str, Callable[[Sequence[Record]], str]] = {
    "throughput": throughput_page.text,
    "accuracy": _accuracy,
    "learners": learners_page.text,
    "scaling": _scaling,
    "features": _features,
    "warehouse": _warehouse,
    "evidence": evidence_page.text,
    "next-question": next_question_page.text,
    "gpu": gpu_page.text,
    "lists": lists_page.text,
}

# What each page measures: `make benchmarks-stale` names the pages that are older than these.
MEASURES: dict[str, tuple[str, ...]] = {
    "gpu": ("meta_model", "benchmarks/gpu"),
    "lists": (
        *("meta_model", "benchmarks/lists.py", "benchmarks/yardsticks/external_lists.py"),
        *("benchmarks/peers", "benchmarks/inputs/public_split.py"),
    ),
    "throughput": (
        *("meta_model", "benchmarks/throughput.py", "benchmarks/loops"),
        *("benchmarks/lists_throughput.py", "benchmarks/inputs/paper_tasks.py"),
    ),
    "accuracy": ("meta_model", "benchmarks/accuracy.py", "benchmarks/inputs/public_split.py"),
    "learners": ("meta_model", "benchmarks/accuracy.py", "benchmarks/inputs/public_split.py"),
    "scaling": ("meta_model", "benchmarks/scaling.py"),
    "features": (
        *("jobs/steps/ingest.py", "jobs/steps/build_profiles.py"),
        *("jobs/steps/build_episodes.py", "jobs/steps/build_metapaths.py"),
        *("jobs/steps/checks.py", "jobs/checks", "jobs/sources", "jobs/transforms"),
        *("jobs/history", "jobs/spark", "benchmarks/features.py"),
    ),
    "warehouse": (
        *("jobs/warehouse", "schemas/tables/products", "schemas/warehouse"),
        "benchmarks/warehouse.py",
        *("benchmarks/inputs/warehouse_rows.py", "benchmarks/warehouse_readers.py"),
    ),
    "evidence": (
        *("meta_model", "benchmarks/evidence.py", "benchmarks/yardsticks/designs.py"),
        *("benchmarks/inputs/new_users.py", "benchmarks/inputs/held_out_users.py"),
        "benchmarks/inputs/public_split.py",
    ),
    "next-question": ("meta_model", "benchmarks/adaptive.py"),
}

if __name__ == "__main__":
    sys.exit(main())
