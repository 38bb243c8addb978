"""TOML files that people write, as frozen records: every mistake of a file in one error.

A misspelt key that is silently ignored would change a night's results without a word.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import UserError


class Record(BaseModel):
    """One table of a file. The texts under its keys are what an editor shows."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


def _is_day(text: str) -> str:
    try:
        if str(date.fromisoformat(text)) == text:
            return text
    except ValueError:
        pass
    raise ValueError("expected a date such as '2020-01-01'")


# TOML has lists, and a frozen record tuples.
Texts = Annotated[tuple[str, ...], Field(strict=False)]
Numbers = Annotated[tuple[float, ...], Field(strict=False)]
Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
Day = Annotated[str, AfterValidator(_is_day)]

Made = TypeVar("Made", bound=Record)

_EXPECTED = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "literal_error": "{expected}",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than_equal": "{le:g} or less",
}


def load(record: type[Made], path: Path, what: str) -> Made:
    """The file as a `record`; a `UserError` names everything that is wrong with it.

    what: the file's name for people, such as `dataset spec`. Validators get the folder as context.
    """
    try:
        return record.model_validate(_table(path, what), context=path.parent)
    except ValidationError as error:
        texts = [_text(mistake, record, str(path)) for mistake in error.errors()]
    listed = "".join(f"\n  {n}. {text}" for n, text in enumerate(texts, start=1))
    raise UserError(texts[0] if len(texts) == 1 else f"{len(texts)} mistakes:{listed}")


def _text(mistake: ErrorDetails, record: type[Record], path: str) -> str:
    """One mistake in a sentence: where it is, what was found, what was expected, what to do."""
    kind, found, context = mistake["type"], mistake["input"], mistake.get("ctx", {})
    names, table = _place(record, mistake["loc"])
    if kind == "value_error" and isinstance(found, dict | None):  # of a table, or of none
        return f"{_where(path, names)}: {context['error']}."
    *names, name = names
    where = _where(path, names)
    if kind == "missing":
        return f"{where}: {name} is missing; add it."
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(name, table.model_fields, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"{where}: unknown key {name!r}; the keys are {sorted(table.model_fields)}.{hint}"
    if kind == "value_error":
        return f"{where}: {name} is {_shown(found)}, {context['error']}."
    expected = _EXPECTED.get(kind, mistake["msg"]).format(**context)
    return f"{where}: {name} is {_shown(found)}, expected {expected}."


def _where(path: str, names: Iterable[str]) -> str:
    return f"{path} [{'.'.join(names)}]" if names else path


def _shown(value: Any) -> str:
    """The value as the file has it, more or less."""
    if isinstance(value, bool | date):
        return str(value).lower()
    return repr(list(value) if isinstance(value, tuple) else value)


def _place(record: type[Record], steps: tuple[int | str, ...]) -> tuple[list[str], type[Record]]:
    """The names that lead to a mistake, and the record that the last one is a key of."""
    names: list[str] = []
    hint: Any = record
    table = record
    for step in steps:
        members = _members(hint)
        if step == "[key]":  # what is wrong is the name itself
            names[-1:] = ["the name"]
        elif isinstance(step, int):
            names[-1] = f"item {step + 1} of {names[-1]}"
        elif len(members) > 1:  # a union says by the record's name which of them it took
            hint = next(member for member in members if member.__name__ == step)
        elif get_origin(members[0]) is dict:
            names.append(step)
            hint = get_args(members[0])[1]
        else:
            [table] = members
            names.append(step)
            hint = table.model_fields[step].annotation if step in table.model_fields else None
    return names, table


def _members(hint: Any) -> list[Any]:
    """What a value of the type can be: its parts, if it is a union, but for None."""
    if get_origin(hint) is Annotated:
        return _members(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        parts = [_members(part) for part in get_args(hint) if part is not NoneType]
        return [member for part in parts for member in part]
    return [hint]


def _table(path: Path, what: str) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{what} {path} does not exist; name an existing TOML file.") from None
    except OSError as error:
        raise UserError(f"{what} {path} cannot be read: {error}; expected a file.") from None
    try:
        # An editor's mark at the beginning is no part of the text.
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            found = "is UTF-16"
        else:
            found = f"is not UTF-8: line {line} has the byte 0x{content[error.start]:02x}"
        raise UserError(
            f"{what} {path} {found}; expected UTF-8. Save it again with that encoding."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{what} {path} is not valid TOML: {error}; correct that line.") from None
