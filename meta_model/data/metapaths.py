from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Metapaths:
    names: tuple[str, ...]
    over_users: tuple[bool, ...]
    neighbours: Tensor


NONE = Metapaths(names=(), over_users=(), neighbours=torch.zeros(0, 1, 1, dtype=torch.int64))
