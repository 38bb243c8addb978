"""Segments: the users who share a value of a feature, such as `gender=F`, and `all` of them.

The dataset spec says which features make segments. A user has one segment of each, or none where
the value is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow.compute as pc
import torch
from torch import Tensor

from meta_model.data.inputs import Inputs

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Segments:
    """names: of the G segments, `all` first

    of_users: [1 + features, U + 1], by user index: the number of each user's segment under each
              feature, or -1 for none; row 0 says `all`
    """

    names: tuple[str, ...]
    of_users: Tensor

    def members(self, name: str) -> Tensor:
        """Whether each user is in the segment, by user index, [U + 1]."""
        return (self.of_users == self.names.index(name)).any(0)


def segments(inputs: Inputs, min_users: int) -> Segments:
    """Of the features that the dataset spec names, the values that so many existing users have.

    New users count for nothing: no list would be chosen on them.
    """
    names, rows = [ALL], [torch.zeros(len(inputs.users.values), dtype=torch.int64)]
    existing = torch.from_numpy(inputs.episodes.split("train", "validation").users)
    for feature in inputs.segments:
        values = inputs.users.values[:, inputs.users.names.index(feature), 0]
        known = inputs.vocabulary.filter(pc.field("feature") == f"user.{feature}").sort_by("index")
        counts = torch.bincount(values[existing].clamp(min=0), minlength=len(known) + 1)
        is_large = counts >= min_users
        is_large[0] = False  # what the vocabulary lacks
        numbers = torch.where(is_large, len(names) - 1 + is_large.cumsum(0), -1)
        rows.append(numbers[values.clamp(min=0)])
        large = is_large[1:].tolist()
        texts = known["value"].to_pylist()
        names += [f"{feature}={text}" for text, kept in zip(texts, large, strict=True) if kept]
    return Segments(names=tuple(names), of_users=torch.stack(rows))
