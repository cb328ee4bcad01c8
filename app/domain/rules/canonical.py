"""Canonical JSON (RFC 8785) for data without floats, and its hash."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

JsonValue: TypeAlias = "str | int | bool | Sequence[JsonValue] | Mapping[str, JsonValue] | None"

MAX_EXACT_INTEGER = 2**53 - 1


def rfc8785_json(value: JsonValue) -> bytes:
    """Return the RFC 8785 form of a value without floats.

    Raises ValueError for an integer that a JSON number cannot carry exactly and for text that is
    no Unicode (a lone surrogate).

    >>> rfc8785_json({"b": [1, True, None], "a": "é"}).decode()
    '{"a":"é","b":[1,true,null]}'
    """
    return _text(value).encode()


def rfc8785_hash(value: JsonValue) -> str:
    """Return the SHA-256 of the canonical JSON in hexadecimal digits."""
    return hashlib.sha256(rfc8785_json(value)).hexdigest()


def _text(value: JsonValue) -> str:
    if value is None or isinstance(value, str | bool):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        if abs(value) > MAX_EXACT_INTEGER:
            message = f"{value} is beyond the integers that JSON carries exactly."
            raise ValueError(message)
        return str(value)
    if isinstance(value, Mapping):
        # RFC 8785 sorts by UTF-16 code units, which differs from code points above U+FFFF.
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{_text(key)}:{_text(value[key])}" for key in keys) + "}"
    return "[" + ",".join(_text(item) for item in value) + "]"
