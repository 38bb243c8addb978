"""The tables of what is published: evidence items and their quality, and scores of cold users."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from meta_model.choice.model import ChoiceModel
from meta_model.data.inputs import Inputs
from meta_model.evidence.item_scores import ItemScores, unit_scaled
from meta_model.evidence.quality import EvidenceResult
from meta_model.evidence.rank_statistics import rank_statistics
from meta_model.evidence.segment_lists import SegmentList
from meta_model.ranking.scoring import Scores
from meta_model.steps.outputs import contract_table
from schemas.run.artefact import Provenance
from schemas.tables.products import (
    COLD_USER_SCORES,
    EVIDENCE_INTERVALS,
    EVIDENCE_ITEMS,
    EVIDENCE_QUALITY,
)


def evidence_table(
    segment: str,
    chosen: SegmentList,
    scores: ItemScores,
    model: ChoiceModel,
    inputs: Inputs,
    provenance: Provenance,
    length: int,
) -> pa.Table:
    """The first `length` items of the segment's list, with the statistics of each rank."""
    indices = chosen.items[:length]
    items, n = inputs.item_profiles.take(indices.numpy() - 1), len(indices)
    rows = torch.searchsorted(scores.items, indices)
    discriminative = scores.discriminative[rows].numpy()
    popularity = unit_scaled(scores.n_interactions)[rows].numpy()
    statistics = rank_statistics(model, chosen.members, indices)
    return contract_table(
        EVIDENCE_ITEMS,
        provenance,
        n,
        {
            "segment": pa.repeat(segment, n),
            "rank": np.arange(1, n + 1),
            **{name: items[name] for name in ("item_id", "title", "n_interactions")},
            "evidence_score": discriminative * popularity,
            "discriminative_value": discriminative,
            "popularity_value": popularity,
            **{name: value.numpy() for name, value in vars(statistics).items()},
            "same_as_all": pa.repeat(chosen.same_as_all, n),
        },
    )


def scores_table(scores: Scores, inputs: Inputs, provenance: Provenance) -> pa.Table:
    """One row a user and rank; users with fewer candidates than ranks have fewer rows."""
    items = scores.items.cpu().numpy()
    rows, ranks = np.nonzero(items)
    users = pa.array(scores.users.cpu().numpy()[rows] - 1)

    def ranked(values: Tensor) -> Any:
        return pa.array(values.cpu().numpy()[rows, ranks], from_pandas=True)  # NaN is null

    return contract_table(
        COLD_USER_SCORES,
        provenance,
        len(rows),
        {
            "user_id": inputs.user_profiles["user_id"].take(users),
            "rank": ranks + 1,
            "item_id": inputs.item_profiles["item_id"].take(pa.array(items[rows, ranks] - 1)),
            "score": ranked(scores.scores),
            "n_support": scores.n_support.cpu().numpy()[rows],
            "adapted": scores.adapted.cpu().numpy()[rows],
            "p_like": ranked(scores.p_like),
            "p_choice": ranked(scores.p_choice),
            "score_low": ranked(scores.low),
            "score_high": ranked(scores.high),
            "ranked_by": pa.repeat(scores.ranked_by, len(rows)),
            "is_new": inputs.user_profiles["is_new"].take(users),
        },
    )


def quality_table(segment: str, judged: list[EvidenceResult], provenance: Provenance) -> pa.Table:
    """What each list of a segment is worth, length by length."""
    means = ("mae", "rmse", "ndcg5", "ndcg10_after", "recall20_after")
    columns: dict[str, Any] = {
        "segment": pa.repeat(segment, len(judged)),
        "list": [each.name for each in judged],
        "length": [each.length for each in judged],
        "n_users": [len(each.elicited.users) for each in judged],
        "n_revealed_mean": [each.elicited.n_revealed.mean().item() for each in judged],
        **{name: [getattr(each.elicited, name).mean().item() for each in judged] for name in means},
    }
    intervals = [each.intervals(EVIDENCE_INTERVALS) for each in judged]
    for number, (metric, other) in enumerate(EVIDENCE_INTERVALS):
        columns[f"{metric}_minus_{other}_low"] = [of[number][0] for of in intervals]
        columns[f"{metric}_minus_{other}_high"] = [of[number][1] for of in intervals]
    return contract_table(EVIDENCE_QUALITY, provenance, len(judged), columns)
