"""A TOML table as a frozen dataclass: every unknown key, missing key and wrong type is an error.

A misspelt key that is silently ignored would change a night's results without a word.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing
from collections.abc import Collection
from typing import Any, TypeVar

from schemas.dataset.mistakes import MistakesError

Record = TypeVar("Record")


def build(
    cls: type[Record], table: dict[str, Any], where: str, *, told: Collection[str] = ()
) -> Record:
    """`cls(**table)`, where `where` names the file and section for the errors.

    Raises all mistakes at once. Of the keys in `told` a mistake has been told already.
    """
    types = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    wrong = []
    for key, value in table.items():
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            wrong.append(f"{where}: unknown key {key!r}; the keys are {sorted(fields)}.{hint}")
        elif key not in told and not _fits(value, types[key]):
            wrong.append(f"{where}: {key} is {value!r}, expected {_name(types[key])}.")
    missing = [
        name
        for name, field in fields.items()
        if name not in table
        and name not in told
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        wrong.append(f"{where}: missing keys {missing}; add them.")
    if wrong:
        raise MistakesError(*wrong)
    return cls(**{key: _frozen(value) for key, value in table.items()})


def _fits(value: Any, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, list | tuple) and all(_fits(item, arguments[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(v, arguments[1]) for v in value.values())
    if origin is not None:  # a union such as `str | None`
        return any(_fits(value, argument) for argument in arguments)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _name(hint: Any) -> str:
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return f"one of {list(arguments)}"
    return hint.__name__ if isinstance(hint, type) else str(hint)
