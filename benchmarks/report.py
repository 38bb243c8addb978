"""The pages in docs/benchmarks/: tables and plots, made of the JSON files beside them.

    python -m benchmarks.report

A page is made of docs/benchmarks/<name>*.json; `make benchmark` measures and then calls this.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.gpu import page as gpu_page
from benchmarks.nights import page as nights_page
from benchmarks.pages import accuracy as accuracy_page
from benchmarks.pages import evidence as evidence_page
from benchmarks.pages import features as features_page
from benchmarks.pages import learners as learners_page
from benchmarks.pages import lists as lists_page
from benchmarks.pages import new_items as new_items_page
from benchmarks.pages import next_question as next_question_page
from benchmarks.pages import scaling as scaling_page
from benchmarks.pages import throughput as throughput_page
from benchmarks.pages import warehouse as warehouse_page
from benchmarks.records import Record

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"


def main(arguments: list[str] | None = None) -> int:
    """Write every page that has records, and the plots; returns the exit code."""
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
    """The records of docs/benchmarks/<name>*.json, in the order of the files' names."""
    files = sorted(folder.glob(f"{name}*.json"))
    return [record for file in files for record in json.loads(file.read_text())]


PAGES: dict[str, Callable[[Sequence[Record]], str]] = {
    "throughput": throughput_page.text,
    "accuracy": accuracy_page.text,
    "learners": learners_page.text,
    "scaling": scaling_page.text,
    "features": features_page.text,
    "warehouse": warehouse_page.text,
    "evidence": evidence_page.text,
    "next-question": next_question_page.text,
    "gpu": gpu_page.text,
    "lists": lists_page.text,
    "new-items": new_items_page.text,
    "nights": nights_page.text,
}

_SPLITS = ("benchmarks/inputs/public_split.py", "benchmarks/inputs/split_tasks.py")
# What each page measures: `make benchmarks-stale` names the pages that are older than these.
MEASURES: dict[str, tuple[str, ...]] = {
    "gpu": ("meta_model", "benchmarks/gpu", "benchmarks/yardsticks/ranking.py"),
    "lists": (
        *("meta_model", "benchmarks/lists.py", "benchmarks/yardsticks/external_lists.py"),
        *("benchmarks/peers", "benchmarks/inputs/list_trials.py", *_SPLITS),
    ),
    "throughput": (
        *(
            "meta_model",
            "benchmarks/throughput.py",
            "benchmarks/loops",
            "benchmarks/yardsticks/ranking.py",
        ),
        *("benchmarks/lists_throughput.py", "benchmarks/inputs/paper_tasks.py"),
    ),
    "accuracy": ("meta_model", "benchmarks/accuracy.py", *_SPLITS),
    "learners": ("meta_model", "benchmarks/accuracy.py", *_SPLITS),
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
        *("benchmarks/inputs/warehouse_rows.py", "benchmarks/yardsticks/warehouse_readers.py"),
    ),
    "evidence": (
        *("meta_model", "benchmarks/evidence.py", "benchmarks/yardsticks/designs.py"),
        *("benchmarks/inputs/new_users.py", "benchmarks/inputs/held_out_users.py"),
        *_SPLITS,
    ),
    "next-question": ("meta_model", "benchmarks/adaptive.py"),
    "nights": (
        *("meta_model", "jobs/transforms", "jobs/history", "benchmarks/nights"),
        "benchmarks/inputs/lake_inputs.py",
    ),
    "new-items": (
        *("meta_model", "benchmarks/new_items.py", "benchmarks/inputs/list_trials.py"),
        *_SPLITS,
    ),
}

if __name__ == "__main__":
    sys.exit(main())
