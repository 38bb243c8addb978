"""The page docs/benchmarks/gpu.md, made from the records of `python -m benchmarks.gpu`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.pages.markdown import page, shown, table
from benchmarks.records import Record
from schemas.tables.lake import SCENARIOS

# What one H100 is to reach: stage, mode and meta-batch, tasks per second.
AIMS = {("train", 32): 50_000, ("train", 1024): 200_000, ("train", 8192): 300_000}
AIM_OF_SCORING = 50_000
CELL = 0.003  # how far the four cells of MAE may lie from the CPU's
_ABOUT = ("device", "tiny", "stage", "what", "machine", "date", "commit")
_CPU_CELLS = Path(__file__).resolve().parents[2] / "docs/benchmarks/accuracy-ml-1m.json"


def text(found: Sequence[Record]) -> str:
    """The page docs/benchmarks/gpu.md in Markdown, from the records of all stages."""
    return page(
        "GPU",
        "`python -m benchmarks.gpu --json docs/benchmarks/gpu.json --data DIR`: learners as in "
        "their papers by exact second order, on tasks of MovieLens-1M's sizes, supports of 3 to "
        "90, queries of 10; stage by stage, what one machine did in minutes.",
        found,
        *_machine(found),
        *_parity(found),
        *_determinism(found),
        *_throughput(found),
        *_profile(found),
        *_accuracy(found),
        "## Stages",
        _table(_of(found, "stage"), ("stage", "ended", "failed", "seconds")),
        *(f"Failed in {r['stage']}: {r['error']}" for r in _of(found, "failed")),
    )


def _of(found: Iterable[Record], *whats: str) -> list[Record]:
    return [record for record in found if record["what"] in whats]


def _table(records: Sequence[Record], keys: Sequence[str]) -> str:
    header = [key.replace("_", " ") for key in keys]
    return table(header, [[_cell(record.get(key)) for key in keys] for record in records])


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, float) and 0 < abs(value) < 0.1:
        return f"{value:.1e}"
    return shown(value)


def _machine(found: Sequence[Record]) -> Iterator[str]:
    for record in _of(found, "machine"):
        names = [name for name in record if name not in _ABOUT]
        yield ", ".join(f"{name.replace('_', ' ')} {record[name]}" for name in names) + "."
    for record in _of(found, "copy"):
        yield f"A copy within its memory moves {record['gigabytes_per_second']:,} GB/s."
    for record in _of(found, "float32 product"):
        yield f"A product of float32 matrices runs at {record['teraflops']:,} TFLOP/s."


def _parity(found: Sequence[Record]) -> Iterator[str]:
    compared = [record for record in found if "limit" in record]
    if compared:
        yield "## Does it compute what the CPU computes?"
        yield (
            "The largest difference from the CPU's losses, gradients, forecasts, scores and lists "
            "of one batch, as a share of the largest value."
        )
        yield _table(compared, ("learner", "dtype", "what", "error", "limit", "passed"))
    waits = _of(found, "waits")
    if waits:
        yield "How often Python waits for the GPU in one training step, and where:"
        yield _table(waits, ("learner", "per_step", "where"))


def _determinism(found: Sequence[Record]) -> Iterator[str]:
    repeats = _of(found, "repeats")
    if repeats:
        yield "## Does it repeat?"
        yield "Two trainings with the same seed, by deterministic algorithms: equal to the bit?"
        yield _table(repeats, ("learner", "steps", "equal", "differing", "forbidden"))
    cost = _of(found, "cost")
    if cost:
        yield "What that costs, in tasks trained per second:"
        keys = ("learner", "meta_batch", "tasks_per_second", "tasks_per_second_without")
        yield _table(cost, keys)


def _throughput(found: Sequence[Record]) -> Iterator[str]:
    rates = [{**record, "aim": _aim(record)} for record in _of(found, "rate")]
    if rates:
        yield "## How fast is it?"
        columns = ("learner", "mode", "meta_batch", "tasks_per_second", "aim", "peak_mib")
        yield _table(rates, columns)
    parts: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("cpu", "MeLU's training on the same machine's CPU:", ("meta_batch", "threads")),
        ("assembly", "Where batches are made:", ("meta_batch",)),
        ("loop", "Beside a loop over tasks on the same device:", ("learner", "meta_batch")),
        ("cuda graph", "A step as one CUDA graph, beside kernels started singly:", ("meta_batch",)),
        ("tf32", "Products by TF32:", ("meta_batch",)),
    )  # fmt: skip
    for what, title, keys in parts:
        records = _of(found, what)
        if records:
            yield title
            others = [key for key in records[0] if key not in {*_ABOUT, *keys}]
            yield _table(records, (*keys, *others))


def _aim(record: Record) -> int | None:
    if record["learner"] != "melu" or record["mode"] == "evaluate":
        return None
    if record["mode"] == "score":
        return AIM_OF_SCORING
    return AIMS.get((record["mode"], record["meta_batch"]))


def _profile(found: Sequence[Record]) -> Iterator[str]:
    steps = _of(found, "step")
    if steps:
        yield "## Where does a step's time go?"
        yield _table(steps, ("meta_batch", "milliseconds", "busy_milliseconds", "launches"))
    for record in steps:
        yield f"Meta-batch {record['meta_batch']:,}:"
        yield f"```\n{record['text'].rstrip()}\n```"


def _accuracy(found: Sequence[Record]) -> Iterator[str]:
    figures = _of(found, "figure")
    if not figures:
        return
    yield "## Does it learn what the CPU learns?"
    for record in _of(found, "training"):
        yield (
            f"MovieLens-1M, {record['epochs']} epochs of {record['seconds_per_epoch']} s. MAE may "
            f"lie {CELL} from the CPU's, of docs/benchmarks/accuracy-ml-1m.json."
        )
    cpu = {
        (record["scenario"], metric): record[metric]
        for record in json.loads(_CPU_CELLS.read_text())
        if record["variant"] == "full"
        for metric in ("mae", "rmse", "ndcg5")
    }
    rows = []
    for metric in dict.fromkeys(record["metric"] for record in figures):
        values = {r["scenario"]: r["value"] for r in figures if r["metric"] == metric}
        rows.append([metric, *(f"{values[s]:.4f} ({cpu[(s, metric)]:.4f})" for s in SCENARIOS)])
    yield table(("this device (the CPU)", *SCENARIOS), rows)
