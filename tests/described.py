"""The interface description as if nothing in it were said once for several operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Sections of the components whose parts stand in an operation where nobody shares them.
SHARED: Final = ("examples", "parameters", "responses")


def in_full(description: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a description whose operations say themselves what they share."""
    return {name: said_by(description, part) for name, part in description.items()}


def said_by(description: Mapping[str, Any], part: Any) -> Any:  # noqa: ANN401 - any JSON there is.
    """A copy of a part of a description, with what it shares with others standing in it."""
    if isinstance(part, list):
        return [said_by(description, one) for one in part]
    if not isinstance(part, dict):
        return part
    section, _, name = str(part.get("$ref", "")).removeprefix("#/components/").partition("/")
    if section in SHARED:
        return said_by(description, description["components"][section][name])
    return {key: said_by(description, value) for key, value in part.items()}
