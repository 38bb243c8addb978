"""One event in every form that files have: whatever the form, the lake has the same row.

A folder is made of kinds (names, packings, line ends, marks, quotes, times; types of times,
ids and ratings). Each value of a kind meets others of every other kind, and one night reads all.
"""

from __future__ import annotations

import bz2
import gzip
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.steps import ingest
from schemas.lake import Lake
from schemas.run import journal
from schemas.run.settings import Settings
from tests.tiny_shop import Source

DS = date(1998, 3, 4)
NOON = 888_926_400  # of March 3, 1998
AT = datetime(1998, 3, 3, 12, tzinfo=UTC)
NAMES = ("plain {}.csv", "{} + %20 # %", "[{}] {{x,y}} *?", "größe_{}.txt", "{}.parquet", "=ds={}")
PACKINGS = (bytes, gzip.compress, bz2.compress)
ENDS = ("\n", "\r\n")
MARKS = ("", "\ufeff")
QUOTES = ("", '"')
COLUMNS = (
    ("who", "what", "stars", "when"),
    ("when", "stars", "what", "who", "Stars", "", "when.2", "_origin"),
)
TIMES = (
    "888926400", "888926400.0", "1998-03-03T12:00:00Z", "1998-03-03 12:00:00",
    "1998-03-03T13:00:00+0100", "1998-03-03 12:00:00.000000 UTC", " 1998-03-03T04:00:00-08:00 ",
)  # fmt: skip
FILES = 36


def _ingested(settings: Settings) -> list[dict]:
    with journal.step(settings.journals, "ingest", DS) as record:
        ingest.run(settings, DS, record)
    assert record.facts["quarantined"] == 0, record.facts
    folder = Lake(root=settings.lake).version("interactions", date(1998, 3, 3))
    return [row for path in folder.glob("*.parquet") for row in pq.read_table(path).to_pylist()]


def _with_items(source: Source, n: int) -> dict[str, tuple[str, float]]:
    """As many items, and the rows that there are to be, by item."""
    (source.folder / "users.csv").write_text("who,town\n7,Town\n")
    (source.folder / "items.csv").write_text(
        "what,name,tags\n" + "".join(f"i{item},Thing,red\n" for item in range(n))
    )
    return {f"i{item}": ("7", 3.0) for item in range(n)}


def _text(n: int) -> bytes:
    """The event as text; the kinds go round at their own pace, so that each pair of them meets."""
    end, mark, quote = ENDS[n % 2], MARKS[n // 2 % 2], QUOTES[n // 4 % 2]
    columns = COLUMNS[n // 3 % 2]
    values = {"who": "7", "what": f" i{n} ", "stars": "3.0", "when": TIMES[n % len(TIMES)]}
    lines = (columns, [values.get(column, "other") for column in columns])
    text = end.join(",".join(f"{quote}{value}{quote}" for value in line) for line in lines)
    return PACKINGS[n % 3](f"{mark}{text}{end if n % 5 else ''}".encode())


def test_text(tiny: Settings, source: Source) -> None:
    source.respell(('file = "interactions.csv"', 'file = "parts {of} [a] day*"'))
    folder = source.folder / "parts {of} [a] day*"
    folder.mkdir()
    for n in range(FILES):
        (folder / NAMES[n % len(NAMES)].format(n)).write_bytes(_text(n))
    expected = _with_items(source, FILES)
    found = {row["item_id"]: (row["user_id"], row["rating"]) for row in _ingested(tiny)}
    assert found == expected


def _times() -> dict[str, pa.Array]:
    local = AT.replace(tzinfo=None)
    return {
        "s": pa.array([NOON]),
        "int32": pa.array([NOON], pa.int32()),
        "double": pa.array([float(NOON)]),
        "decimal": pa.array([NOON]).cast(pa.decimal128(22, 3)),
        "ms": pa.array([local], pa.timestamp("ms")),
        "us": pa.array([local], pa.timestamp("us")),
        "ns": pa.array([local], pa.timestamp("ns")),
        "zoned": pa.array([AT], pa.timestamp("us", tz="Asia/Tokyo")),
        "ns zoned": pa.array([AT], pa.timestamp("ns", tz="UTC")),
        "text": pa.array(["1998-03-03T13:00:00.000000+01:00"]),
        "large text": pa.array(["1998-03-03 12:00:00"], pa.large_string()),
        "dictionary": pa.array(["1998-03-03T12:00:00Z"]).dictionary_encode(),
        "date": pa.array([local.date()], pa.date32()),
    }


def test_parquet(tiny: Settings, source: Source) -> None:
    """Each file has its times, ids and ratings in other types."""
    source.respell(('file = "interactions.csv"', 'file = "parts"\nformat = "parquet"'))
    ids = [
        pa.array(["7"]), pa.array(["7 "], pa.large_string()), pa.array([7]), pa.array([7.0]),
        pa.array([7], pa.int16()), pa.array([7], pa.uint64()), pa.array([b"7"]),
        pa.array([Decimal(7)], pa.decimal128(9, 2)), pa.array(["7"]).dictionary_encode(),
    ]  # fmt: skip
    stars = [
        pa.array([3], pa.int8()), pa.array([3], pa.float32()), pa.array([3.0]), pa.array(["3"]),
        pa.array([Decimal(3)], pa.decimal128(4, 1)),
    ]  # fmt: skip
    (source.folder / "parts").mkdir()
    times = [*_times().items(), ("int96", _times()["us"])]
    for n, (name, when) in enumerate(times):
        table = {
            "who": ids[n % len(ids)],
            "what": pa.array([f"  i{n} "]),
            "stars": stars[n % len(stars)],
            "when": when,
            "unreadable": pa.array([None], pa.time64("ns")),
        }
        file = source.folder / "parts" / f"{n}.parquet"
        pq.write_table(pa.table(table), file, use_deprecated_int96_timestamps=name == "int96")
    expected = _with_items(source, len(times))
    found = {row["item_id"]: (row["user_id"], row["rating"]) for row in _ingested(tiny)}
    assert found == expected
