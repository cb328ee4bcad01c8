"""Which of several media types a caller would rather have, and which he says he sends."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import Message

from starlette.datastructures import Headers

_ANYTHING = "*/*"


def preferred_media_type(accept: str | None, offered: Sequence[str]) -> str | None:
    """The offered media type that an `Accept` header asks for most; None if it takes none of them.

    Of types it asks for equally the one offered first. What cannot be read asks for nothing.

    >>> offered = ["application/json", "application/yaml"]
    >>> preferred_media_type("application/yaml;q=0.9, application/json;q=0.5", offered)
    'application/yaml'
    >>> preferred_media_type(None, offered), preferred_media_type("text/*", offered)
    ('application/json', None)
    """
    if accept is None or not accept.strip():
        return offered[0]
    asked = dict(map(_range, accept.split(",")))
    weights = [(_weight(asked, media_type), media_type) for media_type in offered]
    weight, found = max(weights, key=lambda pair: pair[0])
    return found if weight > 0 else None


def _range(part: str) -> tuple[str, float]:
    """A media range and its weight."""
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                weight = float(parameter.removeprefix("q="))
            except ValueError:
                weight = 0
            return name, weight if 0 <= weight <= 1 else 0
    return name, 1


def _weight(asked: dict[str, float], media_type: str) -> float:
    """How much a media type is asked for; the most specific range decides (RFC 9110, 12.5.1)."""
    family = f"{media_type.partition('/')[0]}/*"
    for name in (media_type, family, _ANYTHING):
        if name in asked:
            return asked[name]
    return 0


def declared_media_type(headers: Headers) -> str:
    """What a body is said to be, without parameters; empty if nothing is said, or another charset.

    >>> declared_media_type(Headers({"Content-Type": "Application/YAML; charset=UTF-8"}))
    'application/yaml'
    >>> declared_media_type(Headers({"Content-Type": "application/json; charset=latin-1"}))
    ''
    """
    given = headers.getlist("content-type")
    if len(given) != 1:
        return ""
    message = Message()
    message["Content-Type"] = given[0]
    charset = str(message.get_param("charset", "utf-8"))
    return message.get_content_type() if charset.lower() in {"utf-8", "utf8"} else ""
