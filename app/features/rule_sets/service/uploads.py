"""Reading a document that somebody sent, by what he says it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, NoReturn

from app.domain.errors import Invalid
from app.infra.documents import read_document

JSON: Final = "application/json"
YAML: Final = "application/yaml"

_MOST_DIGITS: Final = 18
_MOST_LEVELS: Final = 40


class UnreadableError(Invalid):
    """What was sent is no document."""

    def __init__(self, reason: str) -> None:
        super().__init__("document-unreadable", f"The document cannot be read: {reason}.")


def read_upload(body: bytes, media_type: str) -> Mapping[str, object]:
    """The mapping that a document holds; decimals stay the texts they were written as.

    Args:
        body: the document.
        media_type: without parameters.

    Raises:
        Invalid: `unsupported-media-type`, or `document-unreadable`, naming the place.
    """
    if media_type not in {JSON, YAML}:
        raise Invalid("unsupported-media-type")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError("it is not UTF-8 text") from None
    return read_document(text) if media_type == YAML else _read_json(text)


def _read_json(text: str) -> Mapping[str, object]:
    """JSON by its own reader, which is faster by far than that of YAML."""
    try:
        found = json.loads(
            text,
            parse_float=str,
            parse_int=_short_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except json.JSONDecodeError as error:
        raise UnreadableError(f"line {error.lineno}, column {error.colno}: not JSON") from None
    except RecursionError:
        raise UnreadableError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise UnreadableError("it is no mapping of names to values")
    require_plain(found)
    return found


def _short_integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise UnreadableError("a number is too long to be meant")
    return int(digits)


def _refuse_constant(_constant: str) -> NoReturn:
    raise UnreadableError("NaN and Infinity are no JSON")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableError("a key stands twice in one mapping")
    return found


def require_plain(value: object, levels: int = _MOST_LEVELS) -> None:
    """See to it that data can be stored and hashed: nothing nested deep, no half of a character.

    Raises:
        UnreadableError: it cannot, or holds a number that is no whole one.
    """
    if levels == 0:
        raise UnreadableError("it is nested too deeply")
    if isinstance(value, float):
        raise UnreadableError("a decimal is no text")
    if isinstance(value, str) and not _is_whole(value):
        raise UnreadableError("there is half a character in it")
    if isinstance(value, dict):
        for key, inner in value.items():
            require_plain(key, levels)
            require_plain(inner, levels - 1)
    if isinstance(value, list):
        for inner in value:
            require_plain(inner, levels - 1)


def _is_whole(text: str) -> bool:
    """Whether a text is one in Unicode; JSON escapes may leave half of a pair."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
