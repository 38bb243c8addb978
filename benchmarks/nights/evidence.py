"""What evidence of several nights is worth to the new users of these nights, taken together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch

from benchmarks.records import Record
from meta_model.evaluation.bootstrap import Bootstrap
from meta_model.evidence.elicitation import ElicitationResult
from meta_model.evidence.quality import NOTHING, PUBLISHED

_METRIC = "ndcg10_after"


def records(found: Mapping[tuple[int, str], Sequence[ElicitationResult]]) -> Iterator[Record]:
    """A record for each length and list: nDCG@10 of what follows, and two paired differences.

    `gain` is from asking nothing, `lead` how far the published list is ahead of this one.
    found: by length and name, the results of all nights; a user of two nights counts as two
    """
    after = {key: torch.cat([r.ndcg10_after for r in results]) for key, results in found.items()}
    for (length, name), values in after.items():
        differences = [values - after[length, NOTHING], after[length, PUBLISHED] - values]
        gain, lead = Bootstrap(n_users=len(values)).intervals(differences)
        revealed = torch.cat([result.n_revealed for result in found[length, name]])
        yield {
            "list": name,
            "length": length,
            "n_users": len(values),
            "rated": round(revealed.mean().item(), 2),
            "mae": round(torch.cat([r.mae for r in found[length, name]]).mean().item(), 4),
            "metric": _METRIC,
            "value": round(values.mean().item(), 4),
            "gain_low": round(gain[0], 4),
            "gain_high": round(gain[1], 4),
            "lead_low": round(lead[0], 4),
            "lead_high": round(lead[1], 4),
        }
