"""Facts as JSON Schema: what a caller may write for each."""

from __future__ import annotations

from typing import Any

from app.domain.facts.model import Fact, FactType
from app.infra.written import PRINTABLE

_LONGEST_TEXT = 200


def fact_schema(fact: Fact) -> dict[str, Any]:
    """The values that a fact takes from a caller.

    A decimal is text, or a whole number; its range is in its pattern.
    """
    kinds = _kinds(fact)
    if fact.nullable:
        kinds.append({"type": "null"})
    return {"anyOf": kinds, "description": fact.meaning}


def _kinds(fact: Fact) -> list[dict[str, Any]]:
    if fact.type is FactType.BOOL:
        return [{"type": "boolean"}]
    if fact.type is FactType.ENUM:
        return [{"type": "string", "enum": list(fact.values)}]
    if fact.type is FactType.DATE:
        return [{"type": "string", "format": "date"}]
    if fact.type is FactType.STRING:
        return [{"type": "string", "maxLength": _LONGEST_TEXT, "pattern": PRINTABLE.pattern}]
    unit = 10**fact.scale
    low, high = (fact.minimum or 0) // unit, (fact.maximum or 0) // unit
    whole: dict[str, Any] = {"type": "integer", "minimum": low, "maximum": high}
    if fact.type is FactType.INT:
        return [whole]
    pattern = decimal_pattern(low, high, fact.scale)
    return [whole, {"type": "string", "pattern": pattern, "maxLength": len(pattern)}]


def decimal_pattern(low: int, high: int, scale: int) -> str:
    """A pattern of the decimals from `low` to `high` with up to `scale` digits after the point.

    >>> import re
    >>> pattern = decimal_pattern(-20, 1500, 2)
    >>> [text for text in ("0", "1500.00", "-20.0", "1499.99") if not re.search(pattern, text)]
    []
    >>> [text for text in ("1500.01", "-20.5", "1.234", "01", "-0") if re.search(pattern, text)]
    []
    """
    fraction, zeros = f"(\\.[0-9]{{1,{scale}}})?", f"(\\.0{{1,{scale}}})?"
    kinds = [f"({_below(high)}){fraction}", f"{high}{zeros}"]
    if low < 0:
        kinds += [f"-({_below(-low, from_one=True)}){fraction}", f"{low}{zeros}"]
    return f"^({'|'.join(kinds)})$"


def _below(bound: int, *, from_one: bool = False) -> str:
    """A pattern of the whole numbers below a bound, written without needless zeros."""
    text = str(bound)
    kinds = [] if from_one else ["0"]
    if len(text) > 1:
        kinds.append(f"[1-9][0-9]{{0,{len(text) - 2}}}")
    for place, digit in enumerate(text):
        least = 1 if place == 0 else 0
        if int(digit) > least:
            rest = len(text) - place - 1
            kinds.append(f"{text[:place]}[{least}-{int(digit) - 1}][0-9]{{{rest}}}")
    return "|".join(kinds)
