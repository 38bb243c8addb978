"""How good learners are on public data, in four scenarios, beside the baselines.

    python -m benchmarks.accuracy --data DIR --dataset ml-1m --learner melu --json FILE

DIR/DATASET holds a split as Parquet files (inputs/public_split.py), of ratings: MAE, RMSE and
nDCG@5. A model is trained on `train` for the config's number of epochs, with nothing held back to
choose one by, and adapts to each test task on its support alone. The data set toys has choices and
no split: the night's own steps cut it (inputs/lake_inputs.py), and ranks are measured, AUC,
HR@10 and nDCG@10 against 100 sampled negatives.

`--ablations` adds variants of the learners; for MeLU alone, the paper's configuration and one
without each option that all learners share. `--seeds` repeats the full configuration, to show how
far chance moves the figures.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.inputs import lake_inputs, public_split
from benchmarks.records import Record, write_json
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.device import choose_device
from meta_model.evaluation.scenarios import MetricValue, evaluate
from meta_model.learners import configured
from meta_model.training.meta_train import TrainingCallbacks, meta_train
from schemas.dataset.spec import Feedback
from schemas.run import command_line
from schemas.run.artefact import Epoch
from schemas.run.learners import known
from schemas.tables.lake import SCENARIOS
from schemas.tables.metrics import ADAPTATION_GAIN, of_tasks
from schemas.tables.products import BASELINES

log = logging.getLogger("benchmarks.accuracy")

# What all learners share, measured on one of them.
SWITCHES: Mapping[str, Mapping[str, Any]] = {
    "without baseline predictor": {"network.baseline": False},
    "without content prior": {"network.content_prior": False},
    "without item statistics": {"network.item_statistics": False},
    "without user statistics": {"network.user_statistics": False},
    "without item identity": {"network.item_identity": False},
    "without cold-start dropout": {
        "network.cold_item_dropout": 0.0,
        "network.cold_task_dropout": 0.0,
    },
    "ratings as numbers": {"network.likelihood": "squared"},
    "only the split's own tasks, not resampled": {"training.resample": False},
    "without dropout": {"network.dropout": 0.0},
    "one local step": {"local_update.steps": 1},
    "local rates not learnt": {"local_update.rates": "fixed"},
    "first order": {"local_update.gradient": "first_order"},
    "without support damping": {"local_update.support_damping": 0.0},
}
VARIANTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "maml": {
        "first order": {"local_update.gradient": "first_order"},
        "Meta-SGD": {"local_update.rates": "parameter"},
    },
    "mamo": {"memories fade by attention": {"mamo.memory_decay": "attended"}},
    "metahin": {"without contexts": {"metahin.contexts": False}},
    "aggregating": {
        "mean": {"aggregating.aggregate": "mean"},
        "cosine": {"aggregating.similarity": "cosine"},
    },
    "ridge": {"20 epochs": {"training.epochs": 20}},
}


DATASETS = sorted([*public_split.SPLITS, *lake_inputs.NIGHTS])


def main(arguments: list[str] | None = None) -> int:
    """Write the records of one dataset to `--json`; returns the exit code."""
    options = _parser().parse_args(arguments)
    return command_line.run(lambda: write_json(options.json, measure(options)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="the folder of the splits")
    parser.add_argument("--dataset", choices=DATASETS, required=True)
    parser.add_argument("--learner", choices=["all", *known()], default="melu")
    parser.add_argument("--json", type=Path, required=True, help="where to write the records")
    parser.add_argument("--ablations", action="store_true", help="also without each option")
    parser.add_argument("--seeds", type=int, default=1, help="runs of the full config (default: 1)")
    parser.add_argument("--epochs", type=int, help="instead of the config's")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    return parser


def measure(options: argparse.Namespace) -> Iterator[Record]:
    """The records of every variant; those of the baselines come with the first one."""
    with tempfile.TemporaryDirectory() as scratch:
        prepared: Inputs | None = None
        if options.dataset in lake_inputs.NIGHTS:
            folder = options.data / options.dataset
            prepared = lake_inputs.prepare(folder, options.dataset, Path(scratch))
        for number, (variant, config) in enumerate(_variants(options)):
            started = time.monotonic()
            inputs = prepared or _of_split(options, config, Path(scratch))
            figures = _figures(options, config, inputs)
            log.info("%s, %s: %.0f s", config.model, variant, time.monotonic() - started)
            measured = {figure.model for figure in figures}
            baselines = [name for name in BASELINES if name in measured and number == 0]
            for name in [config.model, *baselines]:
                for scenario in SCENARIOS:
                    what = (options.dataset, name, variant, scenario)
                    record = _record(*what, inputs.feedback, figures)
                    log.info("%s", {key: value for key, value in record.items() if value})
                    yield record


def _variants(options: argparse.Namespace) -> Iterator[tuple[str, Config]]:
    for name in known() if options.learner == "all" else [options.learner]:
        full = configured(name)
        if options.epochs is not None:
            full = full.having({"training.epochs": options.epochs})
        yield "full", full
        for number in range(1, options.seeds):
            yield f"full, seed {number + 1}", replace(full, seed=full.seed + number)
        if options.ablations:
            if name == options.learner == "melu":
                yield "paper", full.paper()
                for variant, switches in SWITCHES.items():
                    yield variant, full.having(switches)
            for variant, switches in VARIANTS.get(name, {}).items():
                yield variant, full.having(switches)


def _of_split(options: argparse.Namespace, config: Config, scratch: Path) -> Inputs:
    return public_split.load(
        options.data / options.dataset,
        public_split.SPLITS[options.dataset],
        scratch,
        windows=config.training.resample,
        seed=config.seed,
    )


def _figures(options: argparse.Namespace, config: Config, inputs: Inputs) -> list[MetricValue]:
    """Train and evaluate on the four scenarios."""
    device = choose_device(options.device)

    def on_epoch(epoch: Epoch, tasks_per_second: float) -> None:
        log.info(
            "epoch %2d/%d  loss %.4f  %.0f tasks/s",
            epoch.epoch, config.training.epochs, epoch.train_loss, tasks_per_second,
        )  # fmt: skip

    trained = meta_train(inputs, config, device, TrainingCallbacks(on_epoch=on_epoch))
    return evaluate(trained.learner, config.model, inputs, device)


def _record(
    dataset: str,
    name: str,
    variant: str,
    scenario: str,
    feedback: Feedback,
    figures: list[MetricValue],
) -> dict[str, Any]:
    """The figures of a learner or baseline, None where it has none."""

    def value(model: str, metric: str) -> float | None:
        wanted = (model, scenario, metric)
        found = [f.value for f in figures if (f.model, f.scenario, f.metric) == wanted]
        return round(found[0], 4) if found else None

    primary, *others = (each for each in of_tasks(feedback) if each is not ADAPTATION_GAIN)
    of_primary, gain = value(name, primary.name), value(name, ADAPTATION_GAIN.name)
    before = None
    if of_primary is not None and gain is not None:
        before = round(of_primary - primary.sign * gain, 4)
    beside = {
        "explicit": {
            "damped_bias_mae": value("damped_bias", "mae"),
            "damped_bias_rounded_mae": value("damped_bias_rounded", "mae"),
            "damped_bias_rmse": value("damped_bias", "rmse"),
            "damped_bias_ndcg5": value("damped_bias", "ndcg5"),
        },
        "implicit": {
            "popularity_auc": value("popularity", "auc"),
            "popularity_hr10": value("popularity", "hr10"),
            "popularity_ndcg10": value("popularity", "ndcg10"),
        },
    }
    return {
        "dataset": dataset,
        "learner": name,
        "variant": "baseline" if name in BASELINES else variant,
        "scenario": scenario,
        "n_tasks": next(f.n_tasks for f in figures if f.scenario == scenario),
        primary.name: of_primary,
        f"{primary.name}_before_adaptation": before,
        **{metric.name: value(name, metric.name) for metric in others},
        **beside[feedback],
    }


if __name__ == "__main__":
    sys.exit(main())
