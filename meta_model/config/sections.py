"""The sections that all learners share, each with the options of one part of a training run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from meta_model.config.options import Section, option
from schemas.dataset.feedback import RankBy
from schemas.errors import UserError

Likelihood = Literal["ordinal", "squared"]
Gradient = Literal["second_order", "first_order", "reptile"]
LocalRates = Literal["fixed", "layer", "parameter"]
ChoiceLearner = Literal["ridge", "aggregating", "matching", "melu"]
Regularisation = Literal["validated", "light", "strong"]
Weighting = Literal["validated", "given"]


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(Section):
    """What the learner of ratings computes of a user and an item."""

    embedding_size: int = option(32, "size of the embedding of a feature value", above=0)
    hidden_sizes: tuple[int, ...] = option((64, 64), "sizes of the hidden layers", above=0)
    baseline: bool = option(True, "predict the residual over the baseline mu + b_i + b_u")
    content_prior: bool = option(True, "an item's bias starts from what its attributes say")
    item_statistics: bool = option(True, "number and bias of an item's ratings as inputs")
    user_statistics: bool = option(True, "number and bias of the support's ratings as inputs")
    item_identity: bool = option(True, "embed the item itself beside its attributes")
    cold_item_dropout: float = option(
        0.15, "share of items that training shows as cold ones: by content alone", least=0, below=1
    )
    cold_task_dropout: float = option(
        0.25, "share of tasks that training shows with all their items cold", least=0, below=1
    )
    dropout: float = option(0.2, "of embedded users and items, in training", least=0, below=1)
    # The local loss is the squared error on the latent scale with either.
    likelihood: Likelihood = option(
        "ordinal",
        "ratings as ordered levels with a learnt threshold between any two, or as numbers",
    )


@dataclass(frozen=True, kw_only=True)
class LocalUpdateConfig(Section):
    """How a task adapts to its support by gradient steps (inner loop)."""

    steps: int = option(3, "gradient steps on a support", above=0)
    rate: float = option(0.2, "learning rate of the steps, at first where it is learnt", above=0)
    rates: LocalRates = option(
        "layer", "learnt: one for each layer and step, or (Meta-SGD) for each parameter and step"
    )
    support_damping: float = option(
        12.0, "added to the support's size where the local loss divides by it", least=0
    )
    gradient: Gradient = option(
        "second_order", "exact through the local steps, first order, or Reptile"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gradient == "reptile" and self.rates != "fixed":
            raise UserError(
                "gradient is 'reptile', which has no gradient for local rates; "
                "set local_update.rates to fixed."
            )


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Section):
    """Episodes and global updates of the learner of ratings (outer loop)."""

    epochs: int = option(10, "passes over the training tasks, at most", above=0)
    patience_epochs: int = option(
        10, "stop after so many epochs without a lower validation loss", above=0
    )
    batch_tasks: int = option(64, "tasks of a global update", above=0)
    shards: int = option(
        1, "streams of row groups that a batch is drawn from, as many tasks of each", above=0
    )
    resample: bool = option(True, "resample support and query of training tasks in each epoch")
    short_support: float = option(
        0.5, "share of resampled tasks with a shortened support", least=0, below=1
    )
    empty_support: float = option(
        0.05, "share of resampled tasks without a support", least=0, below=1
    )
    min_support: int = option(1, "interactions that a shortened support keeps, at least", above=0)
    query_size: int = option(
        10,
        "interactions of a resampled query, at most, and how many next interactions p_like and "
        "list_quality look at",
        above=0,
    )
    global_rate: float = option(3e-3, "learning rate of the global update", above=0)
    warm_up: float = option(
        0.05, "share of training in which the rate rises; then it falls as a cosine",
        least=0, below=1,
    )  # fmt: skip
    weight_decay: float = option(1.0, "of the embeddings; layers have a tenth of it", least=0)
    clip_norm: float = option(5.0, "the largest norm of a global gradient", above=0)


@dataclass(frozen=True, kw_only=True)
class ChoiceConfig(Section):
    """The model of choices, beside the learner of ratings (meta_model/choice)."""

    learner: ChoiceLearner = option(
        "ridge",
        "its local update: in closed form, a set encoder, attention over the support, or steps",
    )
    size: int = option(48, "factors of an item and of a user", above=0)
    epochs: int = option(30, "passes over the training tasks", above=0)
    decay: float = option(
        0.1, "weight decay of the factors; light regularisation has ten times as much", least=0
    )
    softmax_items: int = option(
        50_000,
        "items in the softmax of a training step: of a larger catalogue a sample of about so many",
        above=0,
    )
    regularisation: Regularisation = option(
        "validated",
        "light (decay alone), strong (hidden factors), or what validation users prefer",
    )
    # The calibration of p_like is fitted for it: no option of the products.
    neighbour_weight: float = option(
        2.0, "of item-to-item neighbours beside the factors; 0: without them", least=0
    )
    weighting: Weighting = option(
        "validated",
        "neighbour_weight as given, or half, twice or four times as much where validation users' "
        "lists are better by more than chance",
    )
    trend_weight: float = option(
        1.0,
        "of the trend: an item's recent popularity beside that of all time; 0: without it",
        least=0,
    )


@dataclass(frozen=True, kw_only=True)
class ProductConfig(Section):
    """What a night makes with its models; scoring can be given other values than training."""

    rank_by: RankBy = option(
        "p_like",
        "order of lists: chosen and liked, chosen, or the expected rating; coldstart.toml and the "
        "dataset spec can say another default",
    )
    min_adapt: int = option(
        1, "users with fewer interactions are scored by the unadapted model", above=0
    )
    top_items: int = option(20, "scores published for each cold user", above=0)
    evidence_items: int = option(20, "length of the evidence list", above=0)
    evidence_users: int = option(
        5_000, "existing users that the evidence list is chosen on, those who came last", above=0
    )
    evidence_candidates: int = option(
        400, "items that the evidence list is chosen from, those that most users rated", above=0
    )
    segment_users: int = option(
        100, "existing users that a segment needs for a list of its own", above=0
    )
    judging_users: int = option(
        20, "held-out users that it takes to say what a list is worth", above=0
    )
