"""Contracts as Spark schemas, and the check that a frame keeps its contract."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from schemas.errors import UserError
from schemas.tables.columns import Table, Type, differences

SPARK_TYPES: dict[Type, T.DataType] = {
    Type.STRING: T.StringType(),
    Type.BOOL: T.BooleanType(),
    Type.INT32: T.IntegerType(),
    Type.INT64: T.LongType(),
    Type.FLOAT64: T.DoubleType(),
    Type.DATE: T.DateType(),
    Type.TIMESTAMP: T.TimestampType(),
    Type.LIST_STRING: T.ArrayType(T.StringType()),
    Type.LIST_INT32: T.ArrayType(T.IntegerType()),
    Type.LIST_FLOAT32: T.ArrayType(T.FloatType()),
    Type.LIST_TIMESTAMP: T.ArrayType(T.TimestampType()),
}


def spark_schema(table: Table) -> T.StructType:
    """The contract as Spark checks it: names, order, types, nullability."""
    return T.StructType(
        [
            T.StructField(column.name, SPARK_TYPES[column.type], nullable=column.nullable)
            for column in table.columns
        ]
    )


def check_spark(table: Table, frame: DataFrame, where: str) -> None:
    """Raise a `UserError` that lists every difference between the frame and the contract."""
    problems = differences(
        table, [(field.name, _type_name(field.dataType)) for field in frame.schema.fields]
    )
    if problems:
        raise UserError(
            f"{where} does not keep the contract of {table.name}: {'; '.join(problems)}. "
            "It was written by other code; run the step that makes it again."
        )


def _type_name(data_type: T.DataType) -> str:
    # simpleString ignores whether list elements may be null, which Parquet does not keep either.
    for name, spark_type in SPARK_TYPES.items():
        if data_type.simpleString() == spark_type.simpleString():
            return name.value
    return data_type.simpleString()
