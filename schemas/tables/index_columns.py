"""The columns of the dense indices that name users and items within one ds."""

from __future__ import annotations

from schemas.tables.columns import Column, Type

USER_INDEX = Column(
    name="user_index",
    type=Type.INT32,
    minimum=1,
    description="Dense index of the user within this ds; 0 stands for an unknown user.",
)
ITEM_INDEX = Column(
    name="item_index",
    type=Type.INT32,
    minimum=1,
    description="Dense index of the item within this ds; 0 stands for an unknown item.",
)
