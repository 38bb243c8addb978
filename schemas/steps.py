"""Which step of the night makes which table of the lake: what an error tells a person to run."""

from __future__ import annotations

# Partitioned by the day of events and not by the night: of these every later night is made.
HISTORY = ("interactions", "user_days", "item_days")

MADE_BY = {
    "interactions": "ingest",
    "user_days": "ingest",
    "item_days": "ingest",
    "interactions_quarantine": "ingest",
    "users": "ingest",
    "items": "ingest",
    "item_links": "ingest",
    "vocabulary": "build-profiles",
    "user_profiles": "build-profiles",
    "item_profiles": "build-profiles",
    "timelines": "build-episodes",
    "episodes": "build-episodes",
    "metapath_neighbours": "build-metapaths",
    "evidence_items": "select-evidence",
    "cold_user_scores": "score-cold-users",
    "model_metrics": "evaluate",
}
