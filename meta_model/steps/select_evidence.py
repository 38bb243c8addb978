"""Select evidence: the items to show new users, by segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from meta_model.data.segments import ALL, segments
from meta_model.evidence.item_scores import ItemScores, item_scores
from meta_model.evidence.quality import judge
from meta_model.evidence.segment_lists import SegmentList, segment_lists
from meta_model.steps import outputs, product_tables
from meta_model.steps.night import Night
from schemas.errors import UserError
from schemas.projections.arrow import read_partition
from schemas.run import decision, journal
from schemas.tables.products import EVIDENCE_ITEMS, EVIDENCE_QUALITY

_SHOWN_LENGTH = 10  # of the lists that are judged


def run_evidence(night: Night, record: journal.Step) -> None:
    """The list of each segment that has users enough, and what the lists are worth."""
    record.rows_in = night.inputs.episodes.split("train", "validation").n_tasks
    config, provenance = night.loaded.config, night.loaded.provenance
    choice, length = night.loaded.recommender.choice, config.products.evidence_items
    scores = item_scores(
        night.loaded.learner, night.inputs, night.device, min_users=config.products.segment_users
    )
    lists = segment_lists(
        choice,
        night.inputs,
        config,
        incumbents=_published_evidence(night, record),
        tell=record.progress,
    )
    tables = (
        product_tables.evidence_table(
            name, each, scores[name], choice, night.inputs, provenance, length
        )
        for name, each in lists.items()
    )
    record.rows_out = outputs.write(night.lake, EVIDENCE_ITEMS, night.ds, tables)
    judged = _judged(night, scores, lists, record)
    outputs.write(night.lake, EVIDENCE_QUALITY, night.ds, judged)


def _published_evidence(night: Night, record: journal.Step) -> tuple[int, ...]:
    """The items of everyone's list that was published last before `ds`, by today's index."""
    if (published := decision.published_lists(night.settings, night.ds)) is None:
        return ()
    day, lists = published
    try:
        rows = read_partition(EVIDENCE_ITEMS, lists)
    except UserError as error:  # another release wrote it
        record.progress(f"the list published for {day} is not held on to: {error}")
        return ()
    of_everyone = rows.filter(pc.field("segment") == ALL).sort_by("rank")
    ids = night.inputs.item_profiles["item_id"].combine_chunks()
    found = pc.index_in(of_everyone["item_id"], ids).drop_null()
    return tuple((found.to_numpy() + 1).tolist())


def _judged(
    night: Night,
    scores: Mapping[str, ItemScores],
    chosen: Mapping[str, SegmentList],
    record: journal.Step,
) -> Iterator[pa.Table]:
    """Each segment's lists, asked of the segment's own held-out users."""
    if night.inputs.is_implicit:
        record.progress("lists are not judged: implicit feedback has no reaction to reveal")
        return
    config, products = night.loaded.config, night.loaded.config.products
    known = segments(night.inputs, products.segment_users)
    for name, each in chosen.items():
        found = judge(
            night.loaded.learner,
            night.loaded.recommender,
            night.inputs,
            scores[name],
            each.items,
            night.device,
            min_adapt=products.min_adapt,
            answer_rates=each.members.answer_rates,
            seed=config.seed,
            members=None if name == ALL else known.members(name),
        )
        of_segment = [of for of in found if len(of.elicited.mae) >= products.judging_users]
        if of_segment:
            yield product_tables.quality_table(name, of_segment, night.loaded.provenance)
        for of in of_segment:
            if name == ALL and of.length == _SHOWN_LENGTH:
                record.progress(
                    f"{of.name:<20} nDCG@10 after {of.elicited.ndcg10_after.mean():.4f}  "
                    f"MAE {of.elicited.mae.mean():.4f}  {len(of.elicited.mae):,} users"
                )
        if name == ALL and not of_segment:
            record.progress(
                f"lists are not judged: fewer than {products.judging_users} test users have "
                "ratings beside the lists"
            )
