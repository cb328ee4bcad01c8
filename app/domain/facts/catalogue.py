"""The facts catalogue: every scoring input, read once from the package's own `catalogue.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import NotRequired, TypedDict, cast

from app.domain.facts.model import Fact, FactType


@dataclass(frozen=True, slots=True)
class Convention:
    """A meaning that several facts share: what is visible, windows, rounding, null."""

    name: str
    meaning: str
    meaning_zh: str


# `class` is the word of the masking matrix and of the API, but no Python attribute.
_Entry = TypedDict(
    "_Entry",
    {
        "type": str,
        "scale": NotRequired[int],
        "unit": NotRequired[str],
        "minimum": NotRequired[int],
        "maximum": NotRequired[int],
        "values": NotRequired[list[str]],
        "nullable": NotRequired[bool],
        "class": str,
        "source": str,
        "influenceable": NotRequired[bool],
        "consent": NotRequired[str],
        "en": str,
        "zh": str,
    },
)


class _Texts(TypedDict):
    en: str
    zh: str


class _Document(TypedDict):
    conventions: dict[str, _Texts]
    facts: dict[str, _Entry]


def _scaled(bound: int | None, scale: int) -> int | None:
    return None if bound is None else bound * 10**scale


def _fact(name: str, entry: _Entry) -> Fact:
    scale = entry.get("scale", 0)
    return Fact(
        name=name,
        type=FactType(entry["type"]),
        scale=scale,
        unit=entry.get("unit"),
        minimum=_scaled(entry.get("minimum"), scale),
        maximum=_scaled(entry.get("maximum"), scale),
        values=tuple(entry.get("values", ())),
        nullable=entry.get("nullable", True),
        sensitivity=entry["class"],
        meaning=entry["en"],
        meaning_zh=entry["zh"],
        source=entry["source"],
        influenceable=entry.get("influenceable", False),
        consent=entry.get("consent"),
    )


def _read() -> _Document:
    text = resources.files("app.domain.facts").joinpath("catalogue.toml").read_text("utf-8")
    return cast("_Document", tomllib.loads(text))


_DOCUMENT = _read()

CATALOGUE: Mapping[str, Fact] = MappingProxyType(
    {name: _fact(name, entry) for name, entry in _DOCUMENT["facts"].items()}
)
"""All facts by name, in declared order; the columns of a facts frame beside `customer_id`."""

CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        name: Convention(name, texts["en"], texts["zh"])
        for name, texts in _DOCUMENT["conventions"].items()
    }
)
"""What the meanings of several facts share, stated once."""
