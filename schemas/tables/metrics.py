"""Every metric that a table or a page holds: what it is called, and which way is better.

A table has the names as values; pages, the gate and benchmarks ask here for all else.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.dataset.spec import Feedback

_BASELINE_TITLES = {
    "damped_bias": "damped bias",
    "damped_bias_rounded": "damped bias, rounded",
    "popularity": "popularity",
}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """`title` is for people, `decimals` how many digits they are shown.

    feedback: of which feedback the held-out tasks have it; none for a metric of lists alone
    baseline: the simple model whose value on these tasks stands beside it, if it has one
    """

    name: str
    title: str
    higher_is_better: bool = True
    decimals: int = 4
    feedback: tuple[Feedback, ...] = ()
    baseline: str | None = None

    @property
    def sign(self) -> int:
        """What makes more of a difference better: 1, or -1 for errors and losses."""
        return 1 if self.higher_is_better else -1

    @property
    def baseline_title(self) -> str | None:
        """The baseline's name for people; None for a metric without a baseline."""
        return None if self.baseline is None else _BASELINE_TITLES[self.baseline]

    def is_better(self, value: float, than: float) -> bool:
        """Whether `value` beats `than` in the metric's direction; a tie does not."""
        return self.sign * value > self.sign * than

    def text(self, value: float) -> str:
        """The value with the metric's digits."""
        return f"{value:.{self.decimals}f}"


MAE = Metric(
    name="mae",
    title="MAE",
    higher_is_better=False,
    feedback=("explicit",),
    baseline="damped_bias_rounded",  # like beside like: the median rating is a level too
)
MAE_OF_EXPECTED = Metric(
    name="mae_of_expected",
    title="MAE of the expected rating",
    higher_is_better=False,
    feedback=("explicit",),
    baseline="damped_bias",
)
RMSE = Metric(
    name="rmse",
    title="RMSE",
    higher_is_better=False,
    feedback=("explicit",),
    baseline="damped_bias",
)
NDCG5 = Metric(name="ndcg5", title="nDCG@5", feedback=("explicit",), baseline="damped_bias")
AUC = Metric(name="auc", title="AUC", feedback=("implicit",), baseline="popularity")
HR10 = Metric(name="hr10", title="HR@10", feedback=("implicit",), baseline="popularity")
NDCG10 = Metric(name="ndcg10", title="nDCG@10", feedback=("implicit",), baseline="popularity")
LOG_LOSS = Metric(name="logloss", title="log loss", higher_is_better=False, feedback=("implicit",))
ADAPTATION_GAIN = Metric(
    name="adaptation_gain", title="adaptation gain", feedback=("explicit", "implicit")
)

OF_TASKS = (
    MAE, MAE_OF_EXPECTED, RMSE, NDCG5, AUC, HR10, NDCG10, LOG_LOSS, ADAPTATION_GAIN,
)  # fmt: skip
OF_LISTS = (
    NDCG10,
    Metric(name="ndcg20", title="nDCG@20"),
    Metric(name="recall20", title="recall@20"),
    HR10,
)
NOVELTY20 = Metric(name="novelty20", title="novelty@20, bits", decimals=1)
# Of all users' lists together. Whether more of a spread is better is for the company to say.
OF_ALL_LISTS = (
    Metric(name="coverage20", title="coverage@20"),
    Metric(name="overlap10", title="overlap@10", higher_is_better=False),
    Metric(name="gini20", title="Gini@20", higher_is_better=False),
    NOVELTY20,
)
_BY_NAME = {metric.name: metric for metric in (*OF_TASKS, *OF_LISTS, *OF_ALL_LISTS)}


def named(name: str) -> Metric:
    """The metric that tables hold under the name; raises `KeyError` if there is none."""
    return _BY_NAME[name]


def of_tasks(feedback: Feedback) -> tuple[Metric, ...]:
    """What held-out tasks of the feedback are measured by."""
    return tuple(metric for metric in OF_TASKS if feedback in metric.feedback)


def primary(feedback: Feedback) -> Metric:
    """The one that the gate decides by, and that a gain of adapting is a gain of."""
    return of_tasks(feedback)[0]


def shown(feedback: Feedback) -> tuple[Metric, ...]:
    """What people are shown: a second MAE beside the first would only confuse them."""
    return tuple(metric for metric in of_tasks(feedback) if metric is not MAE_OF_EXPECTED)
