"""The curves of training in the report, epoch by epoch."""

from __future__ import annotations

import math

from markupsafe import Markup

from jobs.report.drawing.charts import Point, Series, line_chart
from jobs.report.drawing.svg import Axis, number_axis
from jobs.report.sections.training import Training


def losses(training: Training) -> Markup:
    """The training loss and the validation loss of each epoch."""
    epochs = training.epochs
    title = (
        f"Training and validation loss over {len(epochs)} epochs, best {training.model.best_epoch}"
    )
    return _epochs(
        title,
        training,
        {
            "own": ("validation", [each.validation_loss for each in epochs]),
            "baseline": ("training", [each.train_loss for each in epochs]),
        },
    )


def adaptation(training: Training) -> Markup:
    """The validation MAE of each epoch, before and after the local update."""
    epochs = training.epochs
    title = f"Validation MAE before and after adapting over {len(epochs)} epochs"
    return _epochs(
        title,
        training,
        {
            "own": ("after", [each.validation_mae for each in epochs]),
            "before": ("before", [each.validation_mae_before for each in epochs]),
        },
    )


def _epochs(title: str, training: Training, named: dict[str, tuple[str, list[float]]]) -> Markup:
    """NaN is a mean over no tasks, and not drawn."""
    last, best = len(training.epochs), training.model.best_epoch
    ticks = dict.fromkeys(number for number in (1, best, last) if number)
    x = Axis(
        low=1,
        high=max(2, last),
        ticks=tuple((n, f"best {n}" if n == best else str(n)) for n in ticks),
    )
    known = [v for _, values in named.values() for v in values if not math.isnan(v)]
    y = number_axis(known)
    series = [
        Series(
            style=style,
            points=tuple(
                None
                if math.isnan(value)
                else Point(x=n, y=value, says=f"{name}, epoch {n}: {value:.4f}")
                for n, value in enumerate(values, start=1)
            ),
        )
        for style, (name, values) in named.items()
    ]
    return line_chart(title, x, y, series)
