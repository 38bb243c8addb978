"""The source's folder, with its files under names that Spark cannot misread.

Spark expands patterns in paths, skips names that begin with `_`, guesses a compression by the end
of a name, checks a `.crc` beside a file, prints paths in a spelling of its own, and under LC_ALL=C
cannot open a name beyond ASCII at all. So Spark reads links with numbers for names. The number of
the link identifies the file of a row, and no path is ever compared as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from uuid import uuid4

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.sources.files.paths import Part
from jobs.spark.literal_paths import literal
from schemas.errors import UserError
from schemas.lake import Lake

NUMBER = "_number"  # the column with the number of a row's file


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A file of the source under its link."""

    part: Part
    number: int
    link: str
    name: str  # in the source, for people


@dataclass(frozen=True, kw_only=True)
class SourceFolder:
    """The folder of the source, and the folder of its links during a run."""

    spark: SparkSession
    path: Path
    links: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def stage(
        self, parts: Sequence[Part], ends: Sequence[str], name: str | None = None
    ) -> list[Staged]:
        """Links to the files; from `ends`, the ends of their names, Spark infers the compression.

        A row's file is called by its path in the source, or `name`.
        """
        staged = []
        for part, end in zip(parts, ends, strict=True):
            number = next(self._numbers)
            link = self.links / f"{number}{end}"
            link.symlink_to(part.path.absolute())
            called = name or self._spelled(part.path)
            staged.append(Staged(part=part, number=number, link=literal(link), name=called))
        return staged

    def named(self, frame: DataFrame, staged: Sequence[Staged]) -> DataFrame:
        """The frame with `_file` and `_day` of each row's file.

        A left join: a row of an unknown file stays, and stops the run.
        """
        if len(staged) == 1:
            name, day = F.lit(staged[0].name), F.lit(staged[0].part.day).cast("date")
            return frame.withColumns({"_file": name, "_day": day})
        rows = [(each.number, each.name, each.part.day) for each in staged]
        known = self.spark.createDataFrame(rows, f"{NUMBER} int, _file string, _day date")
        return frame.join(F.broadcast(known), on=NUMBER, how="left")

    def materialise(self, frame: DataFrame) -> DataFrame:
        """The frame's rows as files, for the run: the source is read once, even if it changes."""
        folder = self.links / f"rows-{next(self._numbers)}"
        by_place = frame.toDF(*(f"_{n}" for n in range(len(frame.columns))))  # any name will do
        by_place.write.parquet(str(folder))
        written = self.spark.read.schema(by_place.schema).parquet(literal(folder))
        return written.toDF(*frame.columns)

    def _spelled(self, path: Path) -> str:
        inside = path.relative_to(self.path) if path.is_relative_to(self.path) else path
        return inside.as_posix().encode(errors="surrogateescape").decode(errors="replace")


@contextmanager
def opened(spark: SparkSession, path: Path, lake: Lake) -> Iterator[SourceFolder]:
    """The folder at `path`, for the block; the links are in the lake, which Spark writes anyway."""
    with lake.scratch("staged") as scratch:
        links = scratch / uuid4().hex  # no run's path is ever another run's
        links.mkdir()
        try:
            yield SourceFolder(spark=spark, path=path, links=links)
        except Exception as error:
            # Spark names the link, which is gone when the step reports the error.
            named = re.search(rf"FAILED_READ_FILE.*?/{links.name}/(\d+\.\w+)", str(error))
            if named is None:
                raise
            raise UserError(
                f"{(links / named[1]).resolve()} cannot be read to its end; it is cut or damaged. "
                "Expected the whole file: write or copy it again."
            ) from error


def file_number() -> Column:
    """The number of the file that a row was read from, by the name of its link."""
    return F.regexp_extract("_metadata.file_name", r"^\d+", 0).cast("int")
