"""The steps after training: each works with the night's model and replaces one partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import torch

from meta_model import artefact, outputs
from meta_model.artefact import Loaded
from meta_model.breakdown import Breakdown
from meta_model.data.inputs import Inputs, load
from meta_model.evaluation.list_quality import list_quality
from meta_model.evaluation.scenarios import evaluate
from meta_model.evidence.item_values import ItemValues, item_values
from meta_model.evidence.quality import judge
from meta_model.evidence.segment_lists import SegmentList, segment_lists
from meta_model.ranking.scoring import score_cold_users
from meta_model.segments import ALL, segments
from schemas import decision, journal
from schemas.arrow import read_partition
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.pipeline import EVALUATE, GATE
from schemas.products import (
    ANY_KNOWN,
    CHAMPION,
    COLD_USER_SCORES,
    EVIDENCE_ITEMS,
    EVIDENCE_QUALITY,
    LIST_QUALITY,
    MODEL_METRICS,
)
from schemas.settings import Settings

_SHOWN_LENGTH = 10  # of the lists that are judged
_SHOWN = ("mae", "auc", "adaptation_gain")  # while evaluating; the summary shows all


@dataclass(frozen=True, kw_only=True)
class Night:
    """What the steps after training share: the inputs of `ds`, and a model that fits them."""

    settings: Settings
    ds: date
    device: torch.device
    inputs: Inputs
    loaded: Loaded

    @property
    def lake(self) -> Lake:
        return Lake(root=self.settings.lake)

    def having(self, option: str) -> Night:
        """With another option of the model's config, `top_items=5`: how long a product is."""
        config = self.loaded.config.having([option])
        recommender = replace(self.loaded.recommender, config=config)
        return replace(self, loaded=replace(self.loaded, recommender=recommender))


def open_trained(settings: Settings, ds: date, device: torch.device, model: str) -> Night:
    """With the model that was trained for `ds`."""
    inputs = load(Lake(root=settings.lake), ds)
    loaded = artefact.load(settings.models, ds, model, inputs, device)
    return Night(settings=settings, ds=ds, device=device, inputs=inputs, loaded=loaded)


def open_chosen(settings: Settings, ds: date, device: torch.device, model: str) -> Night:
    """With the model that the gate chose for `ds`: that one, or the one published last before."""
    decided, run = decision.require(settings, ds, model)
    if decided.verdict == "challenger":
        night = open_trained(settings, ds, device, model)
    else:
        day = decision.champion_day(settings, ds)
        if day is None:
            raise UserError(
                f"the published model {run} is gone. Run the step {GATE.name} again: "
                f"{GATE.command(ds, model)}"
            )
        inputs = load(Lake(root=settings.lake), ds)
        loaded = artefact.load_champion(settings.published, day, inputs, device)
        night = Night(settings=settings, ds=ds, device=device, inputs=inputs, loaded=loaded)
    if (found := night.loaded.provenance.run_id) != run:
        raise UserError(
            f"the gate of ds {ds} chose {run}, and the model is {found} by now. Run the steps "
            f"{EVALUATE.name} and {GATE.name} again."
        )
    return night


def run_evaluate(night: Night, record: journal.Step) -> None:
    """Measure the model of the night, the baselines, and the model published last, on one day."""
    record.rows_in = night.inputs.episodes.split("test").n_tasks
    name = night.loaded.config.model
    breakdown = Breakdown(name, night.inputs)
    figures = evaluate(night.loaded.learner, name, night.inputs, night.device, breakdown.add)
    champion = _champion(night, record)
    if champion is not None:
        of_champion = evaluate(champion.learner, CHAMPION, night.inputs, night.device)
        figures += [figure for figure in of_champion if figure.model == CHAMPION]
    run = None if champion is None else champion.provenance.run_id
    table = outputs.metrics_table(figures, night.loaded.provenance, run)
    record.rows_out = outputs.write(night.lake, MODEL_METRICS, night.ds, [table])
    outputs.write_breakdown(night.lake, night.ds, breakdown, night.loaded.provenance)
    _evaluate_lists(night, champion, record)
    for figure in figures:
        if figure.model in (name, CHAMPION) and figure.metric in _SHOWN:
            record.progress(
                f"{figure.scenario:<9} {figure.model:<12} {figure.metric:<15} "
                f"{figure.value:8.4f}  {figure.n_tasks:,} tasks"
            )


def _evaluate_lists(night: Night, champion: Loaded | None, record: journal.Step) -> None:
    """Judge the lists as they would be published, beside the champion's and simpler methods'."""
    figures = list(
        list_quality(
            night.loaded.recommender,
            night.inputs,
            None if champion is None else champion.recommender,
            record.progress,
        )
    )
    run = None if champion is None else champion.provenance.run_id
    table = outputs.list_quality_table(figures, night.loaded.provenance, run)
    outputs.write(night.lake, LIST_QUALITY, night.ds, [table])
    for figure in figures:
        if (figure.known, figure.metric) == (ANY_KNOWN, "ndcg10"):
            record.progress(
                f"{figure.scenario:<9} {figure.model:<18} nDCG@10 of lists {figure.value:.4f}"
            )


def _champion(night: Night, record: journal.Step) -> Loaded | None:
    """The model published last before `ds`, for today's inputs.

    One that this code or this dataset spec no longer fits cannot be compared with: said, no error.
    """
    day = decision.champion_day(night.settings, night.ds)
    if day is None:
        record.progress("no ds before is published: there is no champion to compare with")
        return None
    try:
        loaded = artefact.load_champion(night.settings.published, day, night.inputs, night.device)
    except UserError as error:
        record.facts["champion"] = f"cannot be compared with: {error}"
        record.progress(f"the champion, published for {day}, {record.facts['champion']}")
        return None
    record.facts["champion"] = f"{loaded.provenance.run_id}, published for {day}"
    return loaded


def run_evidence(night: Night, record: journal.Step) -> None:
    """The list of each segment that has users enough, and what the lists are worth."""
    record.rows_in = night.inputs.episodes.split("train", "validation").n_tasks
    config, provenance = night.loaded.config, night.loaded.provenance
    choice, length = night.loaded.recommender.choice, config.evidence_items
    values = item_values(
        night.loaded.learner, night.inputs, night.device, min_users=config.segment_users
    )
    lists = segment_lists(
        choice,
        night.inputs,
        config,
        incumbents=_published_evidence(night, record),
        tell=record.progress,
    )
    tables = (
        outputs.evidence_table(name, each, values[name], choice, night.inputs, provenance, length)
        for name, each in lists.items()
    )
    record.rows_out = outputs.write(night.lake, EVIDENCE_ITEMS, night.ds, tables)
    judged = _judged(night, values, lists, record)
    outputs.write(night.lake, EVIDENCE_QUALITY, night.ds, judged)


def _published_evidence(night: Night, record: journal.Step) -> tuple[int, ...]:
    """The items of everyone's list that was published last before `ds`, by today's index."""
    day = decision.champion_day(night.settings, night.ds)
    if day is None or day not in night.lake.days(EVIDENCE_ITEMS.name, until=day):
        return ()
    try:
        rows = read_partition(EVIDENCE_ITEMS, night.lake.version(EVIDENCE_ITEMS.name, day))
    except UserError as error:  # another release wrote it
        record.progress(f"the list published for {day} is not held on to: {error}")
        return ()
    of_everyone = rows.filter(pc.field("segment") == ALL).sort_by("rank")
    ids = night.inputs.item_profiles["item_id"].combine_chunks()
    found = pc.index_in(of_everyone["item_id"], ids).drop_null()
    return tuple((found.to_numpy() + 1).tolist())


def _judged(
    night: Night,
    values: Mapping[str, ItemValues],
    chosen: Mapping[str, SegmentList],
    record: journal.Step,
) -> Iterator[pa.Table]:
    """Each segment's lists, asked of the segment's own held-out users."""
    if night.inputs.feedback == "implicit":
        record.progress("lists are not judged: implicit feedback has no reaction to reveal")
        return
    config = night.loaded.config
    known = segments(night.inputs, config.segment_users)
    for name, each in chosen.items():
        found = judge(
            night.loaded.learner,
            night.loaded.recommender,
            night.inputs,
            values[name],
            each.items,
            night.device,
            min_adapt=config.min_adapt,
            seed=config.seed,
            members=None if name == ALL else known.members(name),
        )
        of_segment = [of for of in found if len(of.elicited.mae) >= config.judging_users]
        if of_segment:
            yield outputs.quality_table(name, of_segment, night.loaded.provenance)
        for of in of_segment:
            if name == ALL and of.length == _SHOWN_LENGTH:
                record.progress(
                    f"{of.name:<20} nDCG@10 after {of.elicited.ndcg10_after.mean():.4f}  "
                    f"MAE {of.elicited.mae.mean():.4f}  {len(of.elicited.mae):,} users"
                )
        if name == ALL and not of_segment:
            record.progress(
                f"lists are not judged: fewer than {config.judging_users} test users have ratings "
                "beside the lists"
            )


def run_score(night: Night, record: journal.Step) -> None:
    record.rows_in = night.inputs.episodes.split("serve").n_tasks
    parts = (
        outputs.scores_table(scores, night.inputs, night.loaded.provenance)
        for scores in score_cold_users(night.loaded.recommender, night.inputs)
    )
    record.rows_out = outputs.write(night.lake, COLD_USER_SCORES, night.ds, parts)
