"""The page on all learners, side by side: how good they are, and how fast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean
from typing import get_args

from benchmarks.pages.markdown import by_scenario, page, table
from benchmarks.records import Record
from schemas.dataset.spec import Feedback
from schemas.tables.lake import SCENARIOS
from schemas.tables.metrics import Metric, primary, shown


def text(found: Sequence[Record]) -> str:
    """Of the records of accuracy and of throughput, with `--learner all`."""
    speeds = [record for record in found if "mode" in record]
    figures = [record for record in found if "mode" not in record]
    datasets = dict.fromkeys(record["dataset"] for record in figures)
    parts = [
        part
        for dataset in datasets
        for part in _of_dataset([record for record in figures if record["dataset"] == dataset])
    ]
    return page(
        "Learners",
        "`python -m benchmarks.accuracy --data DIR --dataset DATASET --learner NAME --ablations "
        "--json docs/benchmarks/learners-DATASET-NAME.json` (without `--ablations` for MeLU, whose "
        "own are on another page) and `python -m benchmarks.throughput --learner all --json "
        "docs/benchmarks/learners-throughput.json`: learners with the default configuration and "
        "one seed. Two seeds of one learner differ by up to .01 of MAE ([accuracy](accuracy.md)), "
        "so that learners closer than that are equally good. What each is: "
        "[docs/learners](../learners/README.md).",
        found,
        *parts,
        *(_speed(speeds) if speeds else ()),
    )


def _of_dataset(found: Sequence[Record]) -> Iterator[str]:
    yield f"## {found[0]['dataset']}"
    own = [record for record in found if record["variant"] != "baseline"]
    full = [record for record in own if record["variant"] == "full"]
    feedback = next(each for each in get_args(Feedback) if primary(each).name in found[0])
    first, keys = primary(feedback), tuple(metric.name for metric in shown(feedback)[:3])
    names = " / ".join(metric.title for metric in shown(feedback)[:3])
    counts = {record["scenario"]: record["n_tasks"] for record in full}
    tasks = ", ".join(f"{scenario} {counts[scenario]:,}" for scenario in SCENARIOS)
    yield f"Tasks: {tasks}. {names}, the best mean over the scenarios first:"
    ranked = sorted(
        dict.fromkeys(record["learner"] for record in full),
        key=lambda name: mean(r[first.name] for r in full if r["learner"] == name),
        reverse=first.higher_is_better,
    )
    yield by_scenario(
        "learner", "learner", [r for name in ranked for r in full if r["learner"] == name], keys
    )
    gains = [[name, *(_gain(_named(full, name, s), first) for s in SCENARIOS)] for name in ranked]
    yield f"What the local update is worth, in {first.title} (more is better):"
    yield table(("learner", *SCENARIOS), gains)
    yield "Baselines:"
    yield by_scenario("baseline", "learner", [r for r in found if r["variant"] == "baseline"], keys)
    others = [record for record in own if record["variant"] != "full"]
    variants = [{**r, "variant": f"{r['learner']}, {r['variant']}"} for r in others]
    if variants:
        yield "Variants:"
        yield by_scenario("variant", "variant", variants, keys)


def _speed(found: Sequence[Record]) -> Iterator[str]:
    yield "## Speed"
    yield (
        "Tasks per second beside a loop over tasks of the same learner (benchmarks/loops), in "
        "turns, in the configuration of the papers (one local step, attributes alone), meta-batch "
        f"{found[0]['meta_batch']}, one thread:"
    )
    modes = tuple(dict.fromkeys(record["mode"] for record in found))
    rows = []
    for name in dict.fromkeys(record["learner"] for record in found):
        of_mode = {r["mode"]: r for r in found if r["learner"] == name}
        rows.append([
            name,
            *(
                f"{of_mode[m]['tasks_per_second']:,.0f} / "
                f"{of_mode[m]['loop_tasks_per_second']:,.0f} = {of_mode[m]['ratio']:.1f}x"
                for m in modes
            ),
        ])  # fmt: skip
    yield table(("learner", *modes), rows)


def _of(found: Sequence[Record], scenario: str) -> list[Record]:
    return [record for record in found if record["scenario"] == scenario]


def _named(found: Sequence[Record], name: str, scenario: str) -> Record:
    [record] = [record for record in _of(found, scenario) if record["learner"] == name]
    return record


def _gain(record: Record, metric: Metric) -> str:
    change = record[metric.name] - record[f"{metric.name}_before_adaptation"]
    return f"{metric.sign * change:+.4f}"
