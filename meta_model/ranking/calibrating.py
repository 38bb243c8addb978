"""Fitting a calibration to validation users: how often was what they are shown chosen and liked?

It is fitted to the lists that they would get, and to what they did directly after what is shown of
them: what is published is what has to be right. Intervals of scores also hold what training users
rated then. Of validation users too few come back on a later day: what that day's lists are worth is
fitted to all users who did.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from meta_model.data.batching import DRAWN_TASKS, drawn
from meta_model.data.inputs import Inputs
from meta_model.data.tasks import Tasks
from meta_model.ranking.by_rating import best
from meta_model.ranking.calibration import SIZES, Errors, OfSize, interval, regressed
from meta_model.ranking.recommender import Recommender


@torch.no_grad()
def calibrated(recommender: Recommender, inputs: Inputs) -> Recommender:
    """The same with a calibration fitted to validation users of the `inputs`, where there are."""
    validation = _some(recommender, inputs, "validation")
    if not validation:
        return recommender
    training = _some(recommender, inputs, "train")
    # Validation users chose at any time before, when the trend was another one.
    at_any_time = replace(recommender, trend=torch.zeros_like(recommender.trend))
    sizes = tuple(_of_size(at_any_time, inputs, validation, training, size) for size in SIZES)
    later = _later(at_any_time, inputs, [*validation, *training])
    calibration = replace(recommender.calibration, sizes=sizes, later=later)
    return replace(recommender, calibration=calibration)


def _later(
    recommender: Recommender, inputs: Inputs, some: list[Tasks]
) -> tuple[float, float] | None:
    """a and b of lists of the last day of those users who came on several days."""
    n_next = recommender.calibration.next_items
    found = (tasks.chosen(inputs.feedback).on_last_day(n_next) for tasks in some)
    rows = [_rows(recommender, tasks, inputs.liked_from) for tasks in found if len(tasks)]
    if not rows:
        return None
    logits, liked = (torch.cat(parts) for parts in zip(*rows, strict=True))
    return regressed(logits, liked) if liked.any() else None


def _some(recommender: Recommender, inputs: Inputs, split: str) -> list[Tasks]:
    """Tasks of the split, drawn by the config's seed where there are many."""
    seed = recommender.config.seed
    return drawn(inputs.episodes.split(split), DRAWN_TASKS, seed, on=recommender.device)


def _of_size(
    recommender: Recommender,
    inputs: Inputs,
    validation: list[Tasks],
    training: list[Tasks],
    size: int,
) -> OfSize:
    """Of the users, each showing `size` interactions, or all where there are fewer."""
    n_next = recommender.calibration.next_items
    shown = [tasks.followed(size, n_next, inputs.feedback) for tasks in validation]
    rows = [_rows(recommender, tasks, inputs.liked_from) for tasks in shown]
    logits, liked = (torch.cat(parts) for parts in zip(*rows, strict=True))
    intercept, slope = regressed(logits, liked)
    low, high = None, None
    if not inputs.is_implicit:
        trained = [tasks.followed(size, n_next) for tasks in training]
        low, high = interval(*(_of_users(recommender, some, size) for some in (shown, trained)))
    return OfSize(
        n_support=size,
        intercept=intercept,
        slope=slope,
        low=low,
        high=high,
    )


def _rows(recommender: Recommender, tasks: Tasks, liked_from: float) -> tuple[Tensor, Tensor]:
    """Of each listed item of each task its logit [R], and whether the query holds it, liked."""
    _, log_like = recommender.log_probabilities(tasks)
    items = best(log_like, recommender.config.products.top_items)
    log_like = log_like.gather(1, items)
    there = log_like > -torch.inf
    logits = recommender.calibration.logit_of_next(log_like[there])
    liked = tasks.liked_in_query(recommender.n_items, liked_from).gather(1, items)
    return logits.cpu(), liked[there].double().cpu()


def _of_users(recommender: Recommender, some: list[Tasks], size: int) -> Errors:
    """The errors of all tasks; a user without a query has none, and does not count."""
    users = [tasks.users[tasks.query.mask.any(1)] for tasks in some]
    return Errors(
        values=torch.cat([errors(recommender, tasks, size) for tasks in some]),
        n_users=len(torch.cat(users).unique()),
    )


def errors(recommender: Recommender, tasks: Tasks, size: int) -> Tensor:
    """The query's ratings minus their scores, after adapting on `size` interactions: [R]."""
    learner = recommender.learner
    catalogue = learner.embed(tasks.items)
    adapts = size > 0 and size >= recommender.config.products.min_adapt
    state = learner.adapt(tasks, catalogue) if adapts else learner.unadapted(tasks)
    forecasts = learner.predict(state, catalogue, learner.statistics.query(tasks))
    found: Tensor = tasks.query.ratings - learner.expected(state, forecasts)
    return found[tasks.query.mask].double().cpu()
