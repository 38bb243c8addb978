"""Fitting a calibration to validation users: how often was a candidate chosen next, and liked?

It is fitted to as many candidates as a list has ranks, the likeliest choices: what is published is
what has to be right. Fitted to all candidates, most of which nobody chooses, the weights tell these
apart from the list, and order its first ranks worse (docs/adr/0024).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import torch
from torch import Tensor

from meta_model.data.batching import batches
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.ranking.calibration import SIZES, OfSize, interval, regressed
from meta_model.ranking.recommender import Recommender

_BATCH_TASKS = 256
_BATCHES = 8  # two thousand users settle three numbers


@torch.no_grad()
def calibrated(recommender: Recommender, inputs: Inputs) -> Recommender:
    """The same with a calibration fitted to validation users of the `inputs`, where there are."""
    validation = inputs.episodes.split("validation")
    some = list(islice(batches(validation, _BATCH_TASKS, on=recommender.device), _BATCHES))
    if not some:
        return recommender
    config = recommender.config
    as_listed = replace(config, candidates=config.top_items, rank_by="choice")
    listing = replace(recommender, config=as_listed)
    sizes = tuple(_of_size(listing, inputs, some, size) for size in SIZES)
    return replace(recommender, calibration=replace(recommender.calibration, sizes=sizes))


def _of_size(
    recommender: Recommender, inputs: Inputs, validation: list[Tasks], size: int
) -> OfSize:
    """Of the users, each showing `size` interactions, or all where there are fewer."""
    shown = [tasks.showing(size, inputs.feedback) for tasks in validation]
    rows = [_rows(recommender, tasks, inputs.liked_from) for tasks in shown]
    features, liked = (torch.cat(parts) for parts in zip(*rows, strict=True))
    intercept, of_choice, of_score = regressed(features, liked)
    low, high = None, None
    if inputs.feedback == "explicit":
        low, high = interval(torch.cat([_errors(recommender, tasks, size) for tasks in shown]))
    return OfSize(
        n_support=size,
        intercept=intercept,
        of_choice=of_choice,
        of_score=of_score,
        low=low,
        high=high,
    )


def _rows(recommender: Recommender, tasks: Tasks, liked_from: float) -> tuple[Tensor, Tensor]:
    """Of each candidate of each task its features [R, 3], and whether the query holds it, liked."""
    found = recommender.candidates(tasks)
    is_liked = torch.zeros(
        len(tasks), recommender.n_items + 1, dtype=torch.bool, device=found.items.device
    )
    liked = tasks.query.mask & (tasks.query.ratings >= liked_from)
    is_liked.scatter_(1, tasks.items[tasks.query.rows] * liked, value=True)
    there = found.items > 0
    features = recommender.calibration.features(found.log_choice, found.scores)
    return features[there].cpu(), is_liked.gather(1, found.items)[there].double().cpu()


def _errors(recommender: Recommender, tasks: Tasks, size: int) -> Tensor:
    """The query's ratings minus their scores, after adapting on `size` interactions: [R]."""
    learner = recommender.learner
    catalogue = learner.embed(tasks.items)
    adapts = size > 0 and size >= recommender.config.min_adapt
    state = learner.adapt(tasks, catalogue) if adapts else learner.unadapted(tasks)
    forecasts = learner.predict(state, catalogue, learner.statistics.query(tasks))
    errors: Tensor = tasks.query.ratings - learner.expected(state, forecasts)
    return errors[tasks.query.mask].double().cpu()
