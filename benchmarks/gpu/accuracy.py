"""Stage 6: MovieLens-1M trained on the device, in four scenarios, with all options."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.gpu.world import Facts, Measurements, World
from benchmarks.inputs import public_split
from meta_model.config import Config
from meta_model.evaluation.scenarios import evaluate
from meta_model.training.meta_train import TrainingCallbacks, meta_train
from schemas.run.artefact import Epoch

DATASET = "ml-1m"
METRICS = ("mae", "rmse", "ndcg5")


def measure(world: World) -> Measurements:
    """Train on the public split; no measurement without `--data`."""
    if world.data is not None:
        yield partial(_trained, world, world.data)


def _trained(world: World, data: Path) -> Iterator[Facts]:
    config = Config()
    if world.sizes.epochs is not None:
        config = config.having({"training.epochs": world.sizes.epochs})
    with tempfile.TemporaryDirectory() as scratch:
        split = public_split.SPLITS[DATASET]
        folder = data / DATASET
        inputs = public_split.load(
            folder, split, Path(scratch), windows=config.training.resample, seed=config.seed
        )
        rates: list[float] = []

        def on_epoch(_epoch: Epoch, tasks_per_second: float) -> None:
            rates.append(tasks_per_second)

        started = time.monotonic()
        trained = meta_train(inputs, config, world.device, TrainingCallbacks(on_epoch=on_epoch))
        seconds = time.monotonic() - started
        yield {
            "what": "training",
            "dataset": DATASET,
            "epochs": len(trained.curve),
            "seconds_per_epoch": round(seconds / len(trained.curve), 2),
            "tasks_per_second": round(max(rates), 1),
            "train_loss": trained.curve[-1].train_loss,
        }
        figures = evaluate(trained.learner, config.model, inputs, world.device)
        for figure in figures:
            if figure.model == config.model and figure.metric in METRICS:
                yield {
                    "what": "figure",
                    "dataset": DATASET,
                    "scenario": figure.scenario,
                    "metric": figure.metric,
                    "value": round(figure.value, 4),
                    "n_tasks": figure.n_tasks,
                }
