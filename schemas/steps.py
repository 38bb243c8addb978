"""Which step of the night makes which table of the lake, and which it reads.

What an error tells a person to run, and what Airflow shows as lineage.
"""

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
    "evidence_quality": "select-evidence",
    "cold_user_scores": "score-cold-users",
    "model_metrics": "evaluate",
    "quality_by_support": "evaluate",
    "calibration": "evaluate",
    "list_quality": "evaluate",
}

_PROFILES = ("user_profiles", "item_profiles")
_FEATURES = ("vocabulary", *_PROFILES, "episodes", "metapath_neighbours")
_LISTS = ("evidence_items", "evidence_quality")
_PRODUCTS = (*_LISTS, "cold_user_scores", "model_metrics", "list_quality")
_BREAKDOWNS = ("quality_by_support", "calibration")

READS = {
    "check-interactions": ("interactions", "interactions_quarantine"),
    "build-profiles": ("user_days", "item_days", "users", "items"),
    "build-episodes": ("interactions", "timelines", *_PROFILES),
    "build-metapaths": ("interactions", "items", "item_links", "item_profiles"),
    "check-features": _FEATURES,
    "meta-train": _FEATURES,
    "evaluate": _FEATURES,
    "gate": ("model_metrics", "list_quality"),
    "select-evidence": _FEATURES,
    "score-cold-users": _FEATURES,
    "check-outputs": (*_PRODUCTS, *_BREAKDOWNS, *_PROFILES, "episodes"),
    "publish": _PRODUCTS,
    "report": (*_LISTS, "model_metrics", "list_quality", *_BREAKDOWNS, "interactions_quarantine"),
}
