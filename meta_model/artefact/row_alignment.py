"""Row alignment: a model's embedding tables, in the row order of a later day.

Embedding tables have a row for each value of a feature and for each item, in the order of the
vocabulary and the profiles of one ds. Another ds may order the same values and items differently,
and add new ones. Values and items that training has not seen get row 0, which is zero.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor, nn

from meta_model.choice.model import ChoiceModel
from meta_model.data.features import Features
from meta_model.data.inputs import Inputs
from meta_model.encoders.item_encoder import ItemEncoder
from meta_model.encoders.user_encoder import UserEncoder
from meta_model.learners.maml import MAML

_KEY = ["table", "feature", "value"]
_ITEM_IDS = "item_id"


def row_keys(inputs: Inputs) -> pa.Table:
    """The keys of the rows that training changes: a table of `table, feature, value, row`.

    table: `user` and `item` for values of their features, `item_id` for items themselves
    """
    items = inputs.item_profiles
    rated = items.filter(pc.field("train_n_ratings") > 0)
    of_items = _part(_ITEM_IDS, "", rated["item_id"], rated["item_index"].to_numpy())
    return pa.concat_tables(
        [*_values(inputs, "user", inputs.users), *_values(inputs, "item", inputs.items), of_items]
    )


def aligned(
    weights: dict[str, Tensor], model: nn.Module, then: pa.Table, now: pa.Table
) -> dict[str, Tensor]:
    """Weights with the row keys `then`, in the row order `now` of `model`.

    The item statistics are no weights: those of `model` stay.
    """
    moved = dict(weights)
    for table, name, weight in _tables(model):
        moved[name] = weights[name][_source_rows(table, len(weight), then, now)]
    for table, name, rates in _rates(model):
        moved[name] = weights[name][:, _source_rows(table, rates.shape[1], then, now)]
    kept = {n: value for n, value in model.state_dict().items() if n.startswith("statistics.")}
    return moved | kept


def _values(inputs: Inputs, entity: str, features: Features) -> Iterator[pa.Table]:
    """The rows of all features, one feature after the other (`encoders.embedding.Attributes`)."""
    start = 0
    for name, size in zip(features.names, features.sizes, strict=True):
        known = inputs.vocabulary.filter(pc.field("feature") == f"{entity}.{name}")
        yield _part(entity, name, known["value"], start + known["index"].to_numpy())
        start += size - 1


def _part(
    table: str, feature: str, values: pa.ChunkedArray[pa.StringScalar], rows: np.ndarray
) -> pa.Table:
    columns = {"table": pa.repeat(table, len(values)), "feature": pa.repeat(feature, len(values))}
    return pa.table({**columns, "value": values, "row": pa.array(rows, pa.int64())})


def _source_rows(table: str, size: int, then: pa.Table, now: pa.Table) -> Tensor:
    """The row then of each row of a table now, or 0: [size]."""
    before, after = (rows.filter(pc.field("table") == table) for rows in (then, now))
    found = after.join(before, _KEY, join_type="inner", right_suffix="_then")
    rows = np.zeros(size, dtype=np.int64)
    rows[found["row"].to_numpy()] = found["row_then"].to_numpy()
    return torch.from_numpy(rows)


def _rates(model: nn.Module) -> Iterator[tuple[str, str, Tensor]]:
    """Meta-SGD's rates [steps, rows, E] of the tables that MAML adapts, as `_tables` has these."""
    if isinstance(model, MAML):
        for number, table in enumerate(("user", "item")):
            rates = model.update.log_rates[number]
            if rates.shape[1] > 1:  # else one for all rows
                yield table, f"update.log_rates.{number}", rates


def _tables(model: nn.Module) -> Iterator[tuple[str, str, Tensor]]:
    """The model's embedding tables: `table` of the row keys, name among the weights, tensor."""
    if isinstance(model, ChoiceModel):
        yield "user", "of_users.table", model.of_users.table
        yield "item", "of_items.table", model.of_items.table
        yield "item", "bias_of_values.table", model.bias_of_values.table
        for name in ("own", "own_bias", "liked_bias", "is_trained"):
            yield _ITEM_IDS, name, getattr(model, name)
    for name, module in model.named_modules():
        if isinstance(module, UserEncoder):
            yield "user", f"{name}.embedding.table", module.embedding.table
        if isinstance(module, ItemEncoder):
            yield "item", f"{name}.embedding.table", module.embedding.table
            if module.prior is not None:
                yield "item", f"{name}.prior.table", module.prior.table
            if module.identity is not None:
                yield _ITEM_IDS, f"{name}.identity.table.weight", module.identity.table.weight
