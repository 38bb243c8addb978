"""The links of items that the source's relation files hold, as a table of the lake."""

from __future__ import annotations

from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.partitions import write_partition
from jobs.sources.folder import SourceFolder
from jobs.sources.needed_columns import of_relation
from jobs.sources.reading import read_file
from jobs.transforms import network as T
from jobs.transforms.source import ORIGIN
from schemas import journal, tables
from schemas.dataset_spec import DatasetSpec, SourceFile
from schemas.errors import UserError
from schemas.lake import Lake
from schemas.network_spec import FileRelation
from schemas.spark import spark_schema


def read_links(source: SourceFolder, spec: DatasetSpec) -> DataFrame:
    """The links that the source holds; none when the spec names no relation file."""
    relations = spec.network.file_relations if spec.network else {}
    none = source.spark.createDataFrame([], spark_schema(tables.ITEM_LINKS))
    frames = [_links(source, name, relation) for name, relation in relations.items()]
    return reduce(DataFrame.unionByName, frames, none)


def write_links(links: DataFrame, lake: Lake, ds: date, record: journal.Step) -> None:
    rows = write_partition(lake, tables.ITEM_LINKS, ds, links)
    if rows:
        record.progress(f"{rows:,} {tables.ITEM_LINKS.name}")


def _links(source: SourceFolder, name: str, relation: FileRelation) -> DataFrame:
    raw, *translation = (_rows(source, *each) for each in of_relation(relation))
    ids = translation[0] if translation else None
    # Of a row that is not whole, nobody knows which column is the node.
    links = T.links(raw.where(F.col(f"{ORIGIN}.is_whole")), ids, name, relation)
    if links.isEmpty():
        among = f", items by the ids of {relation.ids.file}" if relation.ids else ""
        raise UserError(
            f"{source.path / relation.file} links no item by the relation {name!r}; expected rows "
            f"with {relation.only or 'an item and a node'}{among}. "
            f"Mend the file, or [network.relations.{name}] in the dataset spec."
        )
    return links


def _rows(source: SourceFolder, file: SourceFile, needed: list[str]) -> DataFrame:
    read = read_file(source, file, needed)
    rows = source.set_down(read.rows)
    read.check(rows)
    return rows
