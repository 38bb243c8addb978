"""Score cold users: the items each of them will choose and like."""

from __future__ import annotations

from meta_model.ranking.scoring import score_cold_users
from meta_model.steps import outputs, product_tables
from meta_model.steps.night import Night
from schemas.run import journal
from schemas.tables.products import COLD_USER_SCORES


def run_score(night: Night, record: journal.Step) -> None:
    """Write the lists of all cold users of `ds`; rows_in counts users, rows_out list rows."""
    record.rows_in = night.inputs.episodes.split("serve").n_tasks
    parts = (
        product_tables.scores_table(scores, night.inputs, night.loaded.provenance)
        for scores in score_cold_users(night.loaded.recommender, night.inputs)
    )
    record.rows_out = outputs.write(night.lake, COLD_USER_SCORES, night.ds, parts)
