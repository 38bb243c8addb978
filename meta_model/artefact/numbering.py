"""Whom the rows of a model's tables stand for, so that an earlier model can meet a later day.

Tables of weights have a row for each value of a feature and for each item, numbered as the
vocabulary and the profiles of one ds number them. On another ds the same values and items may
have other numbers, and some are new: what a model has not met is row 0, which is zero, as a value
is that the vocabulary lacks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor, nn

from meta_model.choice.ridge import Ridge
from meta_model.data.features import Features
from meta_model.data.inputs import Inputs
from meta_model.encoders.item_encoder import ItemEncoder
from meta_model.encoders.user_encoder import UserEncoder

_KEY = ["table", "feature", "value"]
_ITEM_IDS = "item_id"


def numbering(inputs: Inputs) -> pa.Table:
    """`table, feature, value, row` of every row that training moves.

    table: `user` and `item` of the values of their features, `item_id` of the items themselves
    """
    items = inputs.item_profiles
    rated = items.filter(pc.field("train_n_ratings") > 0)
    of_items = _part(_ITEM_IDS, "", rated["item_id"], rated["item_index"].to_numpy())
    return pa.concat_tables(
        [*_values(inputs, "user", inputs.users), *_values(inputs, "item", inputs.items), of_items]
    )


def renumbered(
    weights: dict[str, Tensor], model: nn.Module, then: pa.Table, now: pa.Table
) -> dict[str, Tensor]:
    """Weights, numbered as `then` says, for a `model` of inputs numbered as `now` says.

    What a learner knows of the items' ratings is no weight, and stays its own.
    """
    moved = dict(weights)
    for table, name, weight in _tables(model):
        moved[name] = weights[name][_places(table, len(weight), then, now)]
    own = {n: value for n, value in model.state_dict().items() if n.startswith("statistics.")}
    return moved | own


def _values(inputs: Inputs, entity: str, features: Features) -> Iterator[pa.Table]:
    """All features share one numbering, one after the other (`encoders.embedding.Attributes`)."""
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


def _places(table: str, size: int, then: pa.Table, now: pa.Table) -> Tensor:
    """Of each row of a table now, its row then, or 0: [size]."""
    before, after = (rows.filter(pc.field("table") == table) for rows in (then, now))
    found = after.join(before, _KEY, join_type="inner", right_suffix="_then")
    places = np.zeros(size, dtype=np.int64)
    places[found["row"].to_numpy()] = found["row_then"].to_numpy()
    return torch.from_numpy(places)


def _tables(model: nn.Module) -> Iterator[tuple[str, str, Tensor]]:
    """The model's tables: whom the rows stand for, the name among the weights, the table."""
    if isinstance(model, Ridge):
        yield "user", "of_users.table", model.of_users.table
        yield "item", "of_items.table", model.of_items.table
        yield "item", "bias_of_values.table", model.bias_of_values.table
        for name in ("own", "own_bias", "is_trained"):
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
