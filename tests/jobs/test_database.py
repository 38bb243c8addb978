"""A source in a database: Apache Derby, which Spark carries, as a whole server in its process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs import __main__ as command_line
from jobs.sources.formats import database
from jobs.steps import ingest
from schemas.dataset import spec as dataset_spec
from schemas.errors import PassingError, UserError
from schemas.lake import Lake
from schemas.projections.arrow import read_partition
from schemas.run import journal
from schemas.run.settings import Settings
from schemas.tables import lake as tables
from schemas.tables.columns import Table
from tests.tiny_shop import Source

DS = date(1998, 3, 4)
DRIVER = "org.apache.derby.jdbc.EmbeddedDriver"
ROWS = [
    ("u1", "i1", 3.0, 1), ("u1", "i2", 4.5, 1), ("u2", "i1", 5.0, 2), ("u3", "i3", None, 4),
    ("u9", "i3", 1.0, 4), ("u1", "i1", 2.0, 5),
]  # fmt: skip


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path, source: Source, tiny: Settings) -> Settings:
    """The tiny shop with its interactions and users in a database, and its items in a file."""
    url = f"jdbc:derby:{tmp_path / 'database'}"
    when = [(who, what, stars, f"1998-03-0{day} 12:00:00") for who, what, stars, day in ROWS]
    interactions = spark.createDataFrame(when, "who string, what string, stars double, at string")
    users = spark.createDataFrame([(f"u{n}", f"Town {n}", n) for n in range(4)])
    for name, frame in {
        "ratings": interactions.withColumn("when", interactions["at"].cast("timestamp")).drop("at"),
        "people": users.toDF("who", "town", "shoe size"),
    }.items():
        frame.write.format("jdbc").options(
            url=url + ";create=true", driver=DRIVER, user="shop", dbtable=name
        ).save()
    source.respell(
        ('file = "interactions.csv"', 'file = "ratings"\nformat = "jdbc"'),
        ('file = "users.csv"', 'file = "shop.people"\nformat = "jdbc"'),
    )
    with (source.folder / "dataset.toml").open("a") as file:
        file.write(f'\n[database]\nurl = "{url}"\ndriver = "{DRIVER}"\n')
    return replace(tiny, source_user="shop", source_password="s3cret")


def _ingest(settings: Settings) -> None:
    with journal.step(settings.journals, "ingest", DS) as record:
        ingest.run(settings, DS, record)


def _rows(settings: Settings, table: Callable[..., Table] | Table, day: int = 4) -> list[dict]:
    made = table if isinstance(table, Table) else table(dataset_spec.load(_spec(settings)))
    partition = Lake(root=settings.lake).version(made.name, date(1998, 3, day))
    return read_partition(made, partition).to_pylist()


def _spec(settings: Settings) -> Path:
    return settings.lake / "dataset.toml"


def test_tables_are_read_as_files_are(shop: Settings) -> None:
    _ingest(shop)
    of_first_day = {(r["user_id"], r["item_id"], r["rating"]) for r in _rows(
        shop, tables.interactions, day=1)}  # fmt: skip
    assert of_first_day == {("u1", "i1", 3.0), ("u1", "i2", 4.5)}
    assert Lake(root=shop.lake).rows("interactions", until=date.max) == 3
    assert [r["town"] for r in _rows(shop, tables.users)] == [[f"Town {n}"] for n in range(4)]
    assert [
        (r["reason"], r["source_file"], r["source_line"], r["source_row"], r["user_id"])
        for r in _rows(shop, tables.INTERACTIONS_QUARANTINE)
    ] == [
        ("unreadable_rating", "ratings", None, None, "u3"),
        ("unknown_user", "ratings", None, None, "u9"),
    ]
    assert not list((shop.lake / ".scratch").glob("*"))


def test_a_second_run_changes_nothing(shop: Settings) -> None:
    _ingest(shop)
    before = {link: link.resolve() for link in shop.lake.glob("interactions/ds=*")}
    _ingest(shop)
    assert {link: link.resolve() for link in shop.lake.glob("interactions/ds=*")} == before


def test_two_sections_may_be_of_one_table(shop: Settings, source: Source) -> None:
    items = source.folder / "items.csv"
    items.write_text("what,name,tags\n" + "".join(f"u{n},Thing {n},red\n" for n in range(4)))
    source.respell(
        ('item_id = "what"\ntitle = "name"\n', 'item_id = "who"\n'),
        ('file = "items.csv"', 'file = "shop.people"\nformat = "jdbc"'),
        ('tags = { kind = "multi", column = "tags", separator = ";" }',
         'town = { kind = "categorical", column = "town" }'),
    )  # fmt: skip
    _ingest(shop)
    assert [r["item_id"] for r in _rows(shop, tables.items)] == [f"u{n}" for n in range(4)]
    assert {r["reason"] for r in _rows(shop, tables.INTERACTIONS_QUARANTINE)} >= {"unknown_item"}


def test_describe_shows_tables_by_their_names(
    shop: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLDSTART_SOURCE_USER", "shop")
    assert command_line.main(["describe-source", "--source", str(shop.source)]) == 0
    said = capsys.readouterr().out
    assert "  ratings " in said
    assert "  shop.people: who, town; not used: none" in said
    assert "  u3       Town 3" in said


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (('"ratings"', '"nothing"'), "nothing in jdbc:derby"),
        (('rating = "stars"', 'rating = "marks"'), r"also needs \['marks'\]. Add them to a view"),
        (("EmbeddedDriver", "NoDriver"), "the database's driver among the jars of"),
    ],
)
def test_what_cannot_be_read_is_reported(
    shop: Settings, source: Source, changed: tuple[str, str], message: str
) -> None:
    source.respell(changed)
    with pytest.raises(UserError, match=message) as raised:
        _ingest(shop)
    assert "s3cret" not in str(raised.value)
    assert not list(shop.lake.glob("*/ds=*"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (('"ratings"', '"ratings; drop table people"'), "expected the name of a table or view"),
        (("jdbc:derby:", "jdbc:derby://me:secret@"), "holds no user and no password"),
        (("[database]", "[cold_start]"), "unknown key 'url'"),
    ],
)
def test_a_spec_that_asks_for_trouble(
    source: Source, shop: Settings, changed: tuple[str, str], message: str
) -> None:
    source.respell(changed)
    with pytest.raises(UserError, match=message):
        dataset_spec.load(source.folder / "dataset.toml")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("org.postgresql.util.PSQLException: Connection reset", PassingError),
        ("Futures timed out after [300 seconds]", PySparkException),
        ("org.postgresql.util.PSQLException: invalid byte sequence", PySparkException),
    ],
)
def test_a_database_that_is_lost_while_it_is_copied_is_worth_another_try(
    spark: SparkSession, shop: Settings, text: str, kind: type[Exception]
) -> None:
    spec = dataset_spec.load(shop.source / "dataset.toml")
    assert spec.database is not None
    failing = spark.range(1).select(F.raise_error(F.lit(text)).alias("never"))
    with pytest.raises(kind, match=r"PSQL|Futures"):
        database._write(failing, shop.home / "copy", spec.interactions, spec.database)


def test_no_password_in_what_settings_say() -> None:
    settings = Settings.from_environment({"COLDSTART_SOURCE_PASSWORD": "s3cret"})
    assert settings.source_password == "s3cret"
    assert "s3cret" not in repr(settings)


def test_the_password_is_in_no_log_and_in_no_file(
    shop: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLDSTART_SOURCE_PASSWORD", "hunter2/of-ours")
    password = Settings.from_environment().source_password
    for name in ("", "jobs", "schemas", "pyspark"):  # a command line says no more than INFO
        caplog.set_level(logging.DEBUG, logger=name)
    _ingest(replace(shop, source_password=password))
    assert caplog.records
    assert "hunter2" not in caplog.text
    files = [path for path in shop.home.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"hunter2" in path.read_bytes()]


def test_the_reason_is_logged_without_a_traceback(
    shop: Settings, caplog: pytest.LogCaptureFixture, source: Source
) -> None:
    source.respell(('"ratings"', '"nothing"'))
    with caplog.at_level(logging.ERROR):
        assert command_line.main(["describe-source", "--source", str(shop.source)]) == 2
    assert "nothing in jdbc:derby" in caplog.text
    assert "\tat " not in caplog.text
