"""The evidence lists of the night, what they cover, and what changed since the lists before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from jobs.report.night import UNREADABLE, Night, Part, Row
from jobs.report.sections.coverage import Attributes, Coverage, attributes_of_items
from schemas.projections.arrow import read_partition
from schemas.run import decision
from schemas.tables.products import EVIDENCE_ITEMS

EVERYONE = "all"  # the segment of all users


@dataclass(frozen=True, kw_only=True)
class Item:
    """One place of a list; `name` is the title, or the id of an item without one.

    gain: of nDCG@10 by asking up to this rank; these three are None in lists of older releases
    previous_rank: None where the item was not in the list before, or there was none
    """

    rank: int
    item_id: str
    name: str
    gain: float | None
    answer_rate: float | None
    redundancy: float | None
    n_interactions: int
    previous_rank: int | None = None


@dataclass(frozen=True, kw_only=True)
class EvidenceList:
    """A segment's list; `left` are the names of the items that were in the one before only."""

    segment: str
    items: tuple[Item, ...]
    same_as_all: bool = False
    coverage: tuple[Coverage, ...] = ()
    left: tuple[str, ...] = ()
    has_previous: bool = False

    @property
    def n_new(self) -> int:
        """How many of the items the list before did not have."""
        return sum(item.previous_rank is None for item in self.items)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The lists, everyone's first; `previous` is the ds they are compared with, if there is one.

    previous_is_published: whether these lists were published
    """

    lists: tuple[EvidenceList, ...]
    previous: date | None
    previous_is_published: bool
    run_id: str


def evidence(night: Night) -> Part[Evidence]:
    """The evidence lists and their changes since the list before; a note if there is no list."""
    found = night.rows(EVIDENCE_ITEMS)
    if not found.content:
        return Part(note=found.note or "Nothing to show: the list is empty.")
    notes = [found.note] if found.note else []
    previous, is_published, before = None, False, list[Row]()
    try:
        published = decision.published_lists(night.settings, night.ds)
        if found_before := published or _last(night):
            previous, lists = found_before
            is_published = published is not None
            before = read_partition(EVIDENCE_ITEMS, lists).to_pylist()
    except UNREADABLE as error:
        notes.append(f"The list is not compared with the list before: {error}")
    attributes = None
    try:
        attributes = attributes_of_items(night)
    except UNREADABLE as error:
        notes.append(f"The attributes that the lists cover are not shown: {error}")
    return replace(found, note=" ".join(notes) or None).then(
        lambda rows: Evidence(
            lists=compared(_lists(rows, attributes), _lists(before)),
            previous=previous if before else None,
            previous_is_published=is_published,
            run_id=rows[0]["run_id"],
        )
    )


def compared(
    now: tuple[EvidenceList, ...], before: tuple[EvidenceList, ...]
) -> tuple[EvidenceList, ...]:
    """The lists of now, each with what changed since the list of its segment before."""
    of_segment = {each.segment: each for each in before}
    return tuple(
        _compared(each, of_segment[each.segment]) if each.segment in of_segment else each
        for each in now
    )


def _compared(now: EvidenceList, before: EvidenceList) -> EvidenceList:
    ranks = {item.item_id: item.rank for item in before.items}
    kept = {item.item_id for item in now.items}
    return replace(
        now,
        items=tuple(replace(item, previous_rank=ranks.get(item.item_id)) for item in now.items),
        left=tuple(item.name for item in before.items if item.item_id not in kept),
        has_previous=True,
    )


def _last(night: Night) -> tuple[date, Path] | None:
    """The last ds before this one that the lake has lists of, and these."""
    days = night.lake.days(EVIDENCE_ITEMS.name, until=night.ds - timedelta(days=1))
    if not days:
        return None
    return max(days), night.lake.version(EVIDENCE_ITEMS.name, max(days))


def _lists(rows: list[Row], attributes: Attributes | None = None) -> tuple[EvidenceList, ...]:
    ordered = sorted(
        rows, key=lambda row: (row["segment"] != EVERYONE, row["segment"], row["rank"])
    )
    segments = dict.fromkeys(row["segment"] for row in ordered)
    return tuple(
        EvidenceList(
            segment=segment,
            items=tuple(_item(row) for row in ordered if row["segment"] == segment),
            same_as_all=any(r["same_as_all"] for r in ordered if r["segment"] == segment),
            coverage=attributes.covered([r["item_id"] for r in rows if r["segment"] == segment])
            if attributes
            else (),
        )
        for segment in segments
    )


def _item(row: Row) -> Item:
    return Item(
        rank=row["rank"],
        item_id=row["item_id"],
        name=row["title"] or row["item_id"],
        gain=row["expected_gain"],
        answer_rate=row["answer_rate"],
        redundancy=row["redundancy"],
        n_interactions=row["n_interactions"],
    )
