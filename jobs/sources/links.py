"""The links of items that the source's relation files hold, as a table of the lake."""

from __future__ import annotations

from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.sources.accounts import balance
from jobs.sources.accounts.accounting import KEPT, Counts
from jobs.sources.files.folder import SourceFolder
from jobs.sources.needed_columns import of_relation
from jobs.sources.reading import read_file
from jobs.spark.partitions import write_partition
from jobs.spark.rows import collected
from jobs.transforms import network as T
from jobs.transforms.source import ORIGIN
from schemas.dataset.network import FileRelation
from schemas.dataset.spec import DatasetSpec, SourceFile
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.projections.spark import spark_schema
from schemas.run import journal
from schemas.tables import lake as tables

_BROKEN = "broken"


def read_links(source: SourceFolder, spec: DatasetSpec) -> tuple[DataFrame, dict[str, Counts]]:
    """The links that the source holds, none when the spec names no relation file.

    Also returns, for each relation, the rows of its files: read, kept, set aside and left out.
    """
    relations = spec.network.file_relations if spec.network else {}
    none = source.spark.createDataFrame([], spark_schema(tables.ITEM_LINKS))
    rows: dict[str, Counts] = {}
    frames = [_links(source, name, relation, rows) for name, relation in relations.items()]
    return reduce(DataFrame.unionByName, frames, none), rows


def write_links(links: DataFrame, lake: Lake, ds: date, record: journal.Step) -> None:
    """Replace the partition of `ds` of `item_links`; only a filled one is noted as progress."""
    rows = write_partition(lake, tables.ITEM_LINKS, ds, links)
    if rows:
        record.progress(f"{rows:,} {tables.ITEM_LINKS.name}")


def _links(
    source: SourceFolder, name: str, relation: FileRelation, rows: dict[str, Counts]
) -> DataFrame:
    read = [_rows(source, *each) for each in of_relation(relation)]
    sections = (f"relation {name}", f"ids of relation {name}")
    rows.update(zip(sections, (counts for _, counts in read), strict=False))  # ids are optional
    raw, *translation = (frame for frame, _ in read)
    ids = translation[0] if translation else None
    links = T.links(raw, ids, name, relation)
    if links.isEmpty():
        among = f", items by the ids of {relation.ids.file}" if relation.ids else ""
        raise UserError(
            f"{source.path / relation.file} links no item by the relation {name!r}; expected rows "
            f"with {relation.only or 'an item and a node'}{among}. "
            f"Correct the file, or [network.relations.{name}] in the dataset spec."
        )
    return links


def _rows(source: SourceFolder, file: SourceFile, needed: list[str]) -> tuple[DataFrame, Counts]:
    """The whole rows: in a broken row the column of the node is unknown."""
    read = read_file(source, file, needed)
    rows = source.materialise(read.rows)
    is_whole = F.col(f"{ORIGIN}.is_whole")
    found = rows.groupBy(F.col(f"{ORIGIN}.file").alias("file")).agg(
        F.count("*").alias("rows"), F.count_if(~is_whole).alias("broken")
    )
    by_file = collected(found)
    arrived = {row["file"]: row["rows"] for row in by_file}
    counts = balance.check(read.tally, arrived, read.what)
    for row in by_file:
        broken = {_BROKEN: row["broken"]} if row["broken"] else {}
        counts[row["file"]] |= {**broken, KEPT: row["rows"] - row["broken"]}
    return rows.where(is_whole), counts
