"""The list of everyone and of each segment: a segment's differs where its users gain by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from meta_model.choice.model import ChoiceModel
from meta_model.config import Config
from meta_model.data.inputs import Inputs
from meta_model.data.segments import ALL, segments
from meta_model.evidence.existing import Existing, existing_users
from meta_model.evidence.quality import LENGTHS
from meta_model.evidence.selection import forward_selection


@dataclass(frozen=True, kw_only=True)
class SegmentList:
    """items: [K], by item index; members: the existing users it was chosen on

    same_as_all: whether it is the list of everyone
    """

    items: Tensor
    members: Existing
    same_as_all: bool


def segment_lists(
    model: ChoiceModel,
    inputs: Inputs,
    config: Config,
    *,
    incumbents: Sequence[int] = (),
    tell: Callable[[str], None] = lambda _text: None,
) -> dict[str, SegmentList]:
    """By the segment's name, `all` first; as long as the longest length that is judged.

    A segment has a list if enough of the drawn users are in it to choose one on.
    incumbents: everyone's list before, by item index
    """
    length = max(config.products.evidence_items, *LENGTHS)
    existing = existing_users(inputs, model, config, incumbents)
    of_all = forward_selection(model, existing, length, incumbents)
    tell(f"{ALL}: {len(of_all)} items, chosen on {len(existing):,} existing users")
    found = {ALL: SegmentList(items=of_all, members=existing, same_as_all=True)}
    known = segments(inputs, config.products.segment_users)
    for name in known.names[1:]:
        is_member = known.members(name)[existing.users.cpu()].to(existing.users.device)
        members = existing.among(is_member)
        if len(members) < config.products.segment_users:
            continue
        items = forward_selection(model, members, length, of_all.tolist())
        n_own = int((~torch.isin(items, of_all)).sum())
        tell(f"{name}: {n_own} of {len(items)} items are its own, {len(members):,} users")
        # The same items in another order are everyone's list, in everyone's order.
        found[name] = SegmentList(
            items=items if n_own else of_all, members=members, same_as_all=not n_own
        )
    return found
