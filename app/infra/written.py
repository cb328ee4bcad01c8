"""Values as callers write them: what only looks like a day or a text is refused, not guessed at."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import PydanticCustomError, core_schema

from app.domain.records.specs import EARLIEST_DAY, LATEST_DAY

_DAY: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: Control characters, line breaks of every kind, what turns the direction of writing, and halves of
#: characters. Not `str.isprintable`: it bars the wide space and rare characters of names.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


def _written_day(value: object) -> object:
    """A day as it is written; a number would be read as seconds since 1970."""
    if value is not None and not (isinstance(value, str) and _DAY.fullmatch(value)):
        kind, message = "day_form", "a day is written YYYY-MM-DD"
        raise PydanticCustomError(kind, message)
    return value


def printable(value: str) -> str:
    """A text that can be stored and shown; PostgreSQL takes no NUL."""
    if _UNPRINTABLE.search(value):
        kind, message = "bad-text", "a text holds no control characters"
        raise PydanticCustomError(kind, message)
    return value


def filled(value: str) -> str:
    """A text that says something; cleared is what is null, not what is blank."""
    if not printable(value).strip():
        kind, message = "blank", "a text holds more than spaces"
        raise PydanticCustomError(kind, message)
    return value


#: What the interface description says of such texts; halves of characters cannot stand in JSON.
_BARRED: Final = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"


@dataclass(frozen=True, slots=True)
class Text:
    """How a text is read and described: `Annotated[str, Field(max_length=40), FILLED]`.

    It stands behind the bounds, which are then checked first and refused by their own names.
    """

    check: Callable[[str], str]
    pattern: str

    def __get_pydantic_core_schema__(
        self, source: type, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """The bounds, then the check."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The bounds and the pattern."""
        return {**handler(schema), "pattern": self.pattern}


#: A text that can be stored and shown, and one that says something besides.
PRINTABLE: Final = Text(printable, f"^[^{_BARRED}]*$")
FILLED: Final = Text(filled, rf"^[^{_BARRED}]*[^\s{_BARRED}][^{_BARRED}]*$")
#: Lines are broken in what people write at length; anything else that is not to be seen is barred.
_BARRED_IN_PROSE: Final = _BARRED.replace(
    r"\u0000-\u001f", r"\u0000-\u0008\u000b\u000c\u000e-\u001f"
)


def prose(value: str) -> str:
    """A text of several lines without what surrounds it, line breaks written alike."""
    unified = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    printable(unified.replace("\n", " ").replace("\t", " "))
    return unified


PROSE: Final = Text(prose, f"^[^{_BARRED_IN_PROSE}]*$")
MailAddress: TypeAlias = Annotated[
    str,
    Field(min_length=3, max_length=254, pattern=rf"^[^@\s{_BARRED}]+@[^@\s{_BARRED}]+$"),
    AfterValidator(filled),
]


def whole(value: object) -> object:
    """A whole number, however it is written: JSON knows no difference between 300 and 300.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: Bounds go before the reading: `Annotated[int, Field(strict=True, ge=0), WHOLE]`.
WHOLE: Final = BeforeValidator(whole)
Day: TypeAlias = Annotated[date, BeforeValidator(_written_day)]
#: A day that records may be of, and that can be reckoned with on both sides.
BusinessDay: TypeAlias = Annotated[
    date, Field(ge=EARLIEST_DAY, le=LATEST_DAY), BeforeValidator(_written_day)
]


def given(*names: str) -> dict[str, Any]:
    """What the interface description says of a body in which some fields are given, and not null.

    >>> given("hash")
    {'required': ['hash'], 'properties': {'hash': {'not': {'type': 'null'}}}}
    """
    not_null = {"not": {"type": "null"}}
    return {"required": [*names], "properties": dict.fromkeys(names, not_null)}
