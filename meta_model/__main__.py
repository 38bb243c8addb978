"""The command line of the learners: `python -m meta_model --help`.

Training runs in several processes by `torchrun --nproc-per-node=N -m meta_model meta_train ...`.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from meta_model.arguments import LENGTHS, NEXT_QUESTION, OPTIONS, RECOMMEND, parser
from schemas.dataset.choice import of_lake
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import META_TRAIN
from schemas.run import command_line, journal
from schemas.run.learners import known
from schemas.run.settings import Settings, parse_ds
from schemas.run.team_file import team_file
from schemas.step import Step

if TYPE_CHECKING:
    import torch

    from meta_model.config import Config
    from meta_model.steps.night import Night
    from schemas.dataset.feedback import RankBy


def main(words: list[str] | None = None) -> int:
    """Run one command of `python -m meta_model`; returns the exit code."""
    options = parser(__doc__).parse_args(words)
    return command_line.run(lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    if options.step is None:
        _TOOLS[options.tool](options)
        return
    settings, ds = Settings.from_environment(), parse_ds(options.ds)
    step: Step = options.step
    is_helper = int(os.environ.get("RANK", 0)) > 0  # torchrun's, see meta_model.training.processes
    # A retry waits for a first try that lives on without its Airflow task.
    lock = nullcontext() if is_helper else Lake(root=settings.lake).step_lock(step.name, ds)
    with journal.step(settings.journals, step.name, ds, is_helper=is_helper) as record, lock:
        # Inside the step: torch takes seconds to load, which --help should not pay.
        from meta_model.device import choose_device

        device = choose_device(options.device, options.threads, options.tf32)
        if step is META_TRAIN:
            _train(options, settings, ds, record, device)
        else:
            step.function()(_open(options, settings, ds, device), record)


def _open(options: argparse.Namespace, settings: Settings, ds: date, device: torch.device) -> Night:
    """The night with its model: only what the gate chose makes products, and it chooses by the
    evaluation of what was trained."""
    from meta_model.steps import night as nights

    if options.step not in LENGTHS:
        night = nights.open_trained(settings, ds, device, options.model)
        return night.having_set(options.set)
    night = nights.open_chosen(settings, ds, device, options.model)
    _, key = LENGTHS[options.step]
    length = [] if options.length is None else [f"{key}={options.length}"]
    return night.having_set([*options.set, *length])


def _next_question(options: argparse.Namespace) -> None:
    from meta_model.session import next_question

    next_question.run(_open_session(options), options.answers, options.user)


def _recommend(options: argparse.Namespace) -> None:
    from meta_model.session import recommend

    if options.top_items < 1:
        raise UserError(f"--top-items is {options.top_items}; expected 1 or more.")
    recommend.run(_open_session(options), options.answers, options.user, options.top_items)


def _open_session(options: argparse.Namespace) -> Night:
    """No step of the night: a session writes nothing, and may run beside one."""
    from meta_model.device import choose_device
    from meta_model.steps.night import open_chosen

    device = choose_device(options.device, options.threads, options.tf32)
    return open_chosen(Settings.from_environment(), parse_ds(options.ds), device, options.model)


def _print_options(options: argparse.Namespace) -> None:
    from meta_model import options_page

    print(options_page.page(known() if options.model is None else [options.model]), end="")


def _train(
    options: argparse.Namespace,
    settings: Settings,
    ds: date,
    record: journal.Step,
    device: torch.device,
) -> None:
    from meta_model.training.processes import connected

    order = team_file().run.rank_by or of_lake(settings.lake).rank_by
    with connected(device) as processes:
        config = _config(options, order, processes.count)
        META_TRAIN.function()(settings, ds, record, device, config, processes)


def _config(options: argparse.Namespace, order: RankBy | None, n_processes: int) -> Config:
    """The learner's defaults, the usual order of lists, `--set`, then flags of single options.

    order: that of the team's file, or else of the dataset spec
    """
    from meta_model.learners import configured

    config = configured(options.model).having({"training.shards": n_processes})
    if order is not None:
        config = config.having({"products.rank_by": order})
    config = config.having_set(options.set)
    flags = {
        "training.epochs": options.epochs,
        "training.shards": options.shards,
        "products.rank_by": options.rank_by,
    }
    if options.epochs is not None:
        flags["choice.epochs"] = min(options.epochs, config.choice.epochs)
    if options.seed is not None:
        config = replace(config, seed=options.seed)
    return config.having({key: value for key, value in flags.items() if value is not None})


_TOOLS = {NEXT_QUESTION: _next_question, RECOMMEND: _recommend, OPTIONS: _print_options}

if __name__ == "__main__":
    sys.exit(main())
