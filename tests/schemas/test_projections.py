"""Every engine's projection of every table says what the contract says."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyspark.sql import types as T

from schemas import docs
from schemas.dataset import spec as dataset_spec
from schemas.errors import UserError
from schemas.pipeline import MADE_BY
from schemas.projections.arrow import arrow_schema, check_arrow
from schemas.projections.expectations import checked_columns, suite
from schemas.projections.spark import spark_schema
from schemas.tables import lake as tables
from schemas.tables import products
from schemas.tables.columns import Column, Table, Type, differences
from schemas.tables.evaluation import STRATIFIED
from schemas.tables.rules import MAY_BE_EMPTY, row_rules, rules
from schemas.warehouse import ddl
from schemas.warehouse.views import VIEWS

SPEC = dataset_spec.load(dataset_spec.BUNDLED / "ml-100k.toml")
IMPLICIT = dataset_spec.load(dataset_spec.BUNDLED / "toys.toml")
LAKE = (*tables.lake_tables(SPEC), *products.PRODUCTS, products.EVIDENCE_QUALITY, *STRATIFIED)
ALL = (*LAKE, *products.WAREHOUSE_TABLES)
EVERY_TYPE = Table(
    name="every_type",
    description="One column of each type.",
    key=(),
    columns=tuple(Column(name=t.name.lower(), type=t, description=t.value) for t in Type),
)


@pytest.mark.parametrize("table", [*ALL, EVERY_TYPE], ids=lambda table: table.name)
def test_spark_and_arrow(table):
    spark, arrow = spark_schema(table), arrow_schema(table)
    assert spark.names == arrow.names == list(table.column_names)
    assert [f.nullable for f in spark] == [f.nullable for f in arrow]
    assert [f.nullable for f in arrow] == [c.nullable for c in table.columns]
    check_arrow(table, arrow, "itself")
    assert differences(table, [(c.name, c.type.value) for c in table.columns]) == []


def test_each_type_has_its_own_projection():
    spark = [f.dataType for f in spark_schema(EVERY_TYPE)]
    assert len(set(map(str, spark))) == len(Type)
    elements = (T.StringType(), T.IntegerType(), T.FloatType(), T.TimestampType())
    assert spark[-4:] == [T.ArrayType(element) for element in elements]
    assert [str(each).replace("item", "element") for each in arrow_schema(EVERY_TYPE).types] == [
        "string",
        "bool",
        "int32",
        "int64",
        "double",
        "date32[day]",
        "timestamp[us, tz=UTC]",
        "list<element: string>",
        "list<element: int32>",
        "list<element: float>",
        "list<element: timestamp[us, tz=UTC]>",
    ]


def test_differences_are_all_in_one_error():
    found = pa.schema([("feature", pa.string()), ("index", pa.int64()), ("extra", pa.bool_())])
    with pytest.raises(UserError) as error:
        check_arrow(tables.VOCABULARY, found, "here")
    for problem in (
        "here does not keep the contract of vocabulary",
        "'value' is missing",
        "'extra' is not in the contract",
        "'index' is int64, expected int32",
        "run the step that makes it again",
    ):
        assert problem in str(error.value)
    swapped = pa.schema([arrow_schema(tables.VOCABULARY).field(i) for i in (1, 0, 2)])
    with pytest.raises(UserError, match="columns are ordered"):
        check_arrow(tables.VOCABULARY, swapped, "here")


def test_a_table_refuses_contradictions():
    column = Column(name="a", type=Type.STRING, description="A.")
    with pytest.raises(ValueError, match="declared twice"):
        Table(name="t", description="", key=(), columns=(column, column))
    with pytest.raises(ValueError, match="key columns not declared"):
        Table(name="t", description="", key=("b",), columns=(column,))


@pytest.mark.parametrize(
    "table",
    [*LAKE, tables.interactions(IMPLICIT), tables.episodes(IMPLICIT)],
    ids=lambda table: table.name,
)
def test_suites(table):
    expectations = suite(table).expectations
    by_type: dict[str, list] = {}
    for expectation in expectations:
        by_type.setdefault(expectation.expectation_type, []).append(expectation)
    [columns] = by_type["expect_table_columns_to_match_ordered_list"]
    assert columns.column_list == [*table.column_names, *(rule.name for rule in rules(table))]
    [count] = by_type["expect_table_row_count_to_be_between"]
    assert count.min_value == (0 if table.name in MAY_BE_EMPTY else 1)
    filled = {e.column for e in by_type.get("expect_column_values_to_not_be_null", ())}
    assert filled == {c.name for c in table.columns if not c.nullable}
    bounds = {
        (e.column, e.min_value, e.max_value)
        for e in by_type.get("expect_column_values_to_be_between", ())
    }
    assert bounds == {
        (c.name, c.minimum, c.maximum)
        for c in table.columns
        if not c.type.is_list and (c.minimum, c.maximum) != (None, None)
    }
    sets = {
        e.column: tuple(e.value_set) for e in by_type.get("expect_column_values_to_be_in_set", ())
    }
    allowed = {c.name: c.allowed for c in table.columns if c.allowed and not c.type.is_list}
    assert sets == {**allowed, **{rule.name: (0,) for rule in rules(table)}}
    unique = by_type.get("expect_compound_columns_to_be_unique", [])
    unique_one = by_type.get("expect_column_values_to_be_unique", [])
    keys = [tuple(e.column_list) for e in unique] + [(e.column,) for e in unique_one]
    assert keys == ([table.key] if table.key else [])
    described = [e.description for e in expectations]
    assert len(set(described)) == len(described), "a description names one expectation"
    assert len(set(checked_columns(table))) == len(checked_columns(table))


def test_every_list_and_number_has_its_rule():
    episodes = tables.episodes(SPEC)
    names = {rule.name for rule in rules(episodes)} - {rule.name for rule in row_rules(episodes)}
    assert names == {f"{c.name}_violations" for c in episodes.columns if c.type.is_list}
    assert "score_not_finite" in {rule.name for rule in rules(products.COLD_USER_SCORES)}


def test_every_lake_table_has_a_maker():
    assert set(MADE_BY) == {table.name for table in LAKE}


def test_identifiers_are_quoted():
    assert ddl.identifier('a"; DROP TABLE b; --') == '"a""; DROP TABLE b; --"'


def test_the_documentation_is_that_of_the_contracts(tmp_path, monkeypatch, capsys):
    assert docs.main(["--check"]) == 0, "run python -m schemas.docs"
    text = docs.page()
    for table in LAKE:
        assert f"### {table.name}\n" in text
        assert all(rule.description in text for rule in row_rules(table))
    for name in (*(t.name for t in products.WAREHOUSE_TABLES), *(v.name for v in VIEWS)):
        assert f"### coldstart.{name}\n" in text
    monkeypatch.setattr(docs, "PAGE", tmp_path / "tables.md")
    assert docs.main(["--check"]) == 1
    (tmp_path / "tables.md").write_text(text + "drift")
    assert docs.main(["--check"]) == 1
    assert "run python -m schemas.docs" in capsys.readouterr().err
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    assert docs.main(["--chekc"]) == 2
