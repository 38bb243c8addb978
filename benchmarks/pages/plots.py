"""The plots in docs/benchmarks/, as SVG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

from benchmarks.pages import throughput
from benchmarks.records import Record
from schemas.tables.lake import SCENARIOS

matplotlib.use("svg")
# Without a date and with fixed ids, the same records give the same file.
matplotlib.rcParams.update({"svg.hashsalt": "coldstart", "svg.fonttype": "none"})
from matplotlib import pyplot as plt  # noqa: E402  # the backend is chosen before
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

_OURS, _THEIRS, _SOFT = "#1f6f8b", "#c9a66b", "#99a8b2"


def write(folder: Path, pages: Mapping[str, Sequence[Record]]) -> None:
    """A file for every page, and of accuracy one for every data set."""
    if tasks := throughput.of_tasks(pages["throughput"]):
        _throughput(folder / "throughput.svg", tasks)
    if pages["scaling"]:
        _scaling(folder / "scaling.svg", pages["scaling"])
    for dataset in dict.fromkeys(record["dataset"] for record in pages["accuracy"]):
        of_dataset = [record for record in pages["accuracy"] if record["dataset"] == dataset]
        _accuracy(folder / f"accuracy-{dataset}.svg", of_dataset)
    for dataset in dict.fromkeys(record["dataset"] for record in pages["lists"]):
        of_dataset = [record for record in pages["lists"] if record["dataset"] == dataset]
        _lists(folder / f"lists-{dataset}.svg", of_dataset)


def _throughput(file: Path, found: Sequence[Record]) -> None:
    figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    names = [f"{r['mode']}\n{r['meta_batch']}, {r['threads']} thr." for r in found]
    for offset, key, label, colour in (
        (-0.2, "tasks_per_second", "engine", _OURS),
        (0.2, "loop_tasks_per_second", "loop over tasks", _THEIRS),
    ):
        places = [place + offset for place in range(len(found))]
        axes.bar(places, [r[key] for r in found], 0.4, label=label, color=colour)
    axes.set_xticks(range(len(found)), names, fontsize=7)
    axes.set(yscale="log", ylabel="tasks per second", title="Meta-batches of 32 and 256 tasks")
    _save(figure, axes, file)


def _lists(file: Path, found: Sequence[Record]) -> None:
    """nDCG@10 by the number of known interactions, a line a method but for blends."""
    figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
    found = [r for r in found if r["metric"] == "ndcg10" and "+" not in r["method"]]
    known = [str(k) for k in dict.fromkeys(record["known"] for record in found)]
    for method in dict.fromkeys(record["method"] for record in found):
        of_method = [record for record in found if record["method"] == method]
        is_peer = of_method[0]["variant"] == "peer"
        axes.plot(
            [known.index(str(record["known"])) for record in of_method],
            [record["value"] for record in of_method],
            linestyle="--" if is_peer else "-",
            linewidth=1.2 if is_peer else 2.4,
            label=method,
        )
    axes.set_xticks(range(len(known)), known)
    axes.set(xlabel="known interactions", ylabel="nDCG@10", ylim=(0, None))
    _save(figure, axes, file)


def _scaling(file: Path, found: Sequence[Record]) -> None:
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for mode, colour in (("train", _OURS), ("score", _THEIRS)):
        of_mode = [record for record in found if record["mode"] == mode]
        tasks, peaks = ([r[key] for r in of_mode] for key in ("tasks", "peak_mib"))
        axes.plot(tasks, peaks, "o-", label=mode, color=colour)
    axes.set(xscale="log", xlabel="tasks", ylabel="peak memory, MiB", ylim=(0, None))
    axes.set_title("Peak memory, Python and PyTorch included")
    _save(figure, axes, file)


def _accuracy(file: Path, found: Sequence[Record]) -> None:
    figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
    full = {r["scenario"]: r for r in found if r["variant"] == "full"}
    bars = (
        ("damped_bias_mae", "damped bias", _SOFT),
        ("damped_bias_rounded_mae", "damped bias, rounded", _THEIRS),
        ("mae", "full configuration", _OURS),
    )
    for number, (key, label, colour) in enumerate(bars):
        places = [place + (number - 1) * 0.27 for place in range(len(SCENARIOS))]
        axes.bar(places, [full[s][key] for s in SCENARIOS], 0.27, label=label, color=colour)
    axes.set_xticks(range(len(SCENARIOS)), SCENARIOS)
    axes.set(ylabel="MAE", title=f"{found[0]['dataset']}: mean absolute error")
    _save(figure, axes, file)


def _save(figure: Figure, axes: Axes, file: Path) -> None:
    axes.legend(frameon=False, fontsize=8, loc="upper center", ncols=3)
    axes.margins(y=0.2)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
