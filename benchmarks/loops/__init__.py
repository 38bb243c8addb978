"""Each learner the slow way, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.loops.gradient_methods import MAMLLoop, MAMOLoop, MeLULoop
from benchmarks.loops.loop import PerTaskLoop
from benchmarks.loops.metahin import MetaHINLoop
from benchmarks.loops.metric_methods import (
    AggregatingLoop,
    MatchingLoop,
    PrototypicalLoop,
    RidgeLoop,
)

LOOPS: Mapping[str, Any] = {
    "aggregating": AggregatingLoop,
    "maml": MAMLLoop,
    "mamo": MAMOLoop,
    "matching": MatchingLoop,
    "melu": MeLULoop,
    "metahin": MetaHINLoop,
    "prototypical": PrototypicalLoop,
    "ridge": RidgeLoop,
}

__all__ = ["LOOPS", "PerTaskLoop"]
