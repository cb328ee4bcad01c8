"""A deliberately naive interpreter of raw rule-set documents, to hold the compiled ones against.

It imports nothing from the rules room: it reads the raw text of a cell for every value, compares
decimals as decimals, and knows neither classes nor bitmasks. What one text says of one value, and
which values a fact's texts name, is remembered, for neither depends on anything else.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias, cast

from app.domain.facts.model import Fact, FactType, FactValue

Raw: TypeAlias = Mapping[str, Any]
Plain: TypeAlias = Any
"""A decimal, date, boolean, text or None: whatever it is, its cells compare it with its like."""

LARGEST = 2**63 - 1
OTHER = "some other text"


@dataclass(frozen=True)
class NaiveEvaluation:
    dimensions: dict[str, int]
    score: int
    outcomes: dict[str, str | tuple[str, ...] | None]
    fired: dict[str, tuple[str, ...]]
    reasons: list[tuple[str, str, int, int, int]]


class NaiveInputError(Exception):
    pass


def plain(fact: Fact, value: FactValue) -> Plain:
    """Turn a fact into what people write: decimals with a point, text, dates, booleans."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value).scaleb(-fact.scale)
    return value


def matches(text: object, value: Plain) -> bool:
    """Say whether a cell, as the document has it, accepts a plain value."""
    return _says(_written(text), value)


def _written(text: object) -> str:
    return str(text).lower() if isinstance(text, bool) else str(text)


# Typed, for a truth value equals a number and is none.
@lru_cache(maxsize=100_000, typed=True)
def _says(cell: str, value: Plain) -> bool:
    if cell.strip() == "-":
        return True
    return any(_term(term.strip(), value) for term in _split(cell))


def _split(text: str) -> Iterator[str]:
    """Split at the commas outside quotes and brackets."""
    depth, quoted, start, skip = 0, False, 0, False
    for at, sign in enumerate(text):
        if skip:
            skip = False
        elif quoted and sign == "\\":
            skip = True
        elif sign == '"':
            quoted = not quoted
        elif not quoted:
            # A half-open range closes with the other bracket, which still counts as one level.
            depth += (sign in "([") - (sign in ")]")
            if sign == "," and depth == 0:
                yield text[start:at]
                start = at + 1
    yield text[start:]


def _term(term: str, value: Plain) -> bool:
    if term == "null":
        return value is None
    if term.startswith("not"):
        inner = term[3:].strip()[1:-1]
        return value is not None and not any(_term(t.strip(), value) for t in _split(inner))
    if value is None:
        return False
    if match := re.fullmatch(r"([\[(])(.*?)\.\.(.*)([\])])", term, re.DOTALL):
        opening, low, high, closing = match.groups()
        above = value > _literal(low) if opening == "(" else value >= _literal(low)
        below = value < _literal(high) if closing == ")" else value <= _literal(high)
        return bool(above and below)
    for sign in ("<=", ">=", "<", ">"):
        if term.startswith(sign):
            bound = _literal(term.removeprefix(sign))
            order = (value > bound) - (value < bound)
            return order in {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}[sign]
    return bool(value == _literal(term))


def _literal(text: str) -> Plain:
    text = text.strip()
    if text.startswith('"'):
        return json.loads(text)
    if text.startswith("date("):
        return date.fromisoformat(text[5:-1].strip())
    if text in ("true", "false"):
        return text == "true"
    return Decimal(text) if re.fullmatch(r"-?[0-9.]+", text) else text


def candidates(raw: Raw, fact: Fact) -> list[FactValue]:
    """Return values around every literal that any cell compares the fact with, and null."""
    return list(_named(fact, tuple(_written(text) for text in _cells(raw, fact.name))))


@lru_cache(maxsize=1_000)
def _named(fact: Fact, texts: tuple[str, ...]) -> tuple[FactValue, ...]:
    values: set[Any] = set()
    if fact.type is FactType.BOOL:
        values = {True, False}
    elif fact.type is FactType.ENUM:
        values = set(fact.values)
    elif fact.type is FactType.STRING:
        values = {OTHER, *(word for text in texts for word in _words(text))}
    else:
        values = set(_numbers(fact, texts))
    ordered: list[FactValue] = sorted(values)
    return (*ordered, None) if fact.nullable else tuple(ordered)


def _words(text: str) -> Iterator[str]:
    for term in map(str.strip, _split(text)):
        if term.startswith("not"):
            yield from _words(term[3:].strip()[1:-1])
        elif term not in ("-", "null"):
            yield _literal(term)


def _cells(raw: Raw, name: str) -> Iterator[object]:
    for item in raw["scorecard"]["characteristics"]:
        if item["input"] == name:
            yield from (bin_["when"] for bin_ in item["bins"])
    for table in raw["tables"]:
        yield from (rule["when"][name] for rule in table["rules"] if name in rule.get("when", {}))


def _numbers(fact: Fact, texts: tuple[str, ...]) -> Iterator[Any]:
    is_date = fact.type is FactType.DATE
    low = fact.minimum if fact.minimum is not None else 1 if is_date else -LARGEST
    high = (
        fact.maximum if fact.maximum is not None else date.max.toordinal() if is_date else LARGEST
    )
    found = [low, high]
    for text in texts:
        days = re.findall(r"date\(\s*([0-9-]+)\s*\)", text)
        found += [date.fromisoformat(day).toordinal() for day in days]
        if not is_date:
            numbers = re.findall(r"-?[0-9]+(?:\.[0-9]+)?", text)
            found += [int(Decimal(number).scaleb(fact.scale)) for number in numbers]
    for number, step in itertools.product(found, (-1, 0, 1)):
        if low <= number + step <= high:
            yield date.fromordinal(number + step) if is_date else number + step


def check(fact: Fact, value: Plain) -> FactValue:
    """Return the value if the catalogue allows it, NaN as null."""
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - that is what NaN is
        value = None
    if value is None:
        if not fact.nullable:
            raise NaiveInputError(fact.name)
        return None
    kinds = {"int": int, "decimal": int, "bool": bool, "date": date}
    if type(value) is not kinds.get(fact.type.value, str):
        raise NaiveInputError(fact.name)
    if fact.type is FactType.ENUM and value not in fact.values:
        raise NaiveInputError(fact.name)
    number = value.toordinal() if isinstance(value, date) else value
    if isinstance(number, int) and not isinstance(number, bool):
        low = -LARGEST if fact.minimum is None else fact.minimum
        high = LARGEST if fact.maximum is None else fact.maximum
        if not low <= number <= high:
            raise NaiveInputError(fact.name)
    return cast("FactValue", value)


def used(raw: Raw, catalogue: Mapping[str, Fact]) -> list[str]:
    """Return the facts that the document reads, in the order of their first use."""
    named = [item["input"] for item in raw["scorecard"]["characteristics"]]
    named += [name for table in raw["tables"] for name in table["inputs"]]
    return [name for name in dict.fromkeys(named) if name in catalogue]


def evaluate(raw: Raw, catalogue: Mapping[str, Fact], facts: Mapping[str, Any]) -> NaiveEvaluation:
    """Evaluate one row; raises NaiveInputError naming the first fact that is wrong."""
    checked = {name: check(catalogue[name], facts.get(name)) for name in used(raw, catalogue)}
    values = {name: plain(catalogue[name], value) for name, value in checked.items()}
    dimensions, score, reasons = scores(raw, catalogue, values)
    values |= {f"dimension.{name}": Decimal(points) for name, points in dimensions.items()}
    values["score"] = Decimal(score)
    outcomes: dict[str, str | tuple[str, ...] | None] = {}
    fired: dict[str, tuple[str, ...]] = {}
    for table in raw["tables"]:
        answer, rows = decide(table, values)
        outcomes[table["output"]["name"]] = answer
        values[table["output"]["name"]] = answer
        fired[table["id"]] = rows
    return NaiveEvaluation(dimensions, score, outcomes, fired, reasons)


def matching(table: Raw, values: Mapping[str, Any]) -> list[Raw]:
    """Return the rows of a table that match."""
    return [
        rule
        for rule in table["rules"]
        if all(matches(cell, values[name]) for name, cell in rule.get("when", {}).items())
    ]


def decide(
    table: Raw, values: Mapping[str, Any]
) -> tuple[str | tuple[str, ...] | None, tuple[str, ...]]:
    """Return a table's answer and the rows that gave it."""
    rows = matching(table, values)
    order = table["output"]["values"]
    if table.get("hit_policy") == "collect":
        answers = {row["then"] for row in rows}
        return tuple(v for v in order if v in answers), tuple(row["id"] for row in rows)
    if not rows:
        return None, ()
    best = rows[0]
    if table.get("hit_policy") == "priority":
        best = min(rows, key=lambda row: order.index(row["then"]))
    return best["then"], (best["id"],)


def points(item: Raw, value: Plain) -> Raw:
    """Return the bin of a characteristic that takes a value."""
    (bin_,) = [bin_ for bin_ in item["bins"] if matches(bin_["when"], value)]
    return bin_  # type: ignore[no-any-return]


def scores(
    raw: Raw, catalogue: Mapping[str, Fact], values: Mapping[str, Any]
) -> tuple[dict[str, int], int, list[tuple[str, str, int, int, int]]]:
    """Return the dimensions, the score and the reasons of plain values."""
    items = raw["scorecard"]["characteristics"]
    weights = raw["objectives"][raw["objective"]]
    dimensions: dict[str, int] = {}
    reasons: list[tuple[str, str, int, int, int]] = []
    for name in dict.fromkeys(item["dimension"] for item in items):
        members = [item for item in items if item["dimension"] == name]
        low = high = 0
        for source in dict.fromkeys(item["input"] for item in members):
            sums = [
                sum(
                    points(item, plain(catalogue[source], value))["points"]
                    for item in members
                    if item["input"] == source
                )
                for value in candidates(raw, catalogue[source])
            ]
            low, high = low + min(sums), high + max(sums)
        total = sum(points(item, values[item["input"]])["points"] for item in members)
        share = Fraction(1000 * (total - low), high - low) if high > low else Fraction(0)
        # Half up: the largest whole number that is at most share + 1/2.
        dimensions[name] = int((share + Fraction(1, 2)) // 1)
        for item in members:
            bin_ = points(item, values[item["input"]])
            lost = max(other["points"] for other in item["bins"]) - bin_["points"]
            if high > low and (rank := 10**6 * weights[name] * lost // (high - low)) > 0:
                code = bin_.get("reason", item["reason"])["code"]
                reasons.append((code, item["id"], bin_["points"], lost, rank))
    weighted = sum(Fraction(weights[name] * points, 1000) for name, points in dimensions.items())
    order = [item["id"] for item in items]
    reasons.sort(key=lambda reason: (-reason[4], order.index(reason[1])))
    top = raw["scorecard"]["reasons"]["top"]
    return dimensions, int((weighted + Fraction(1, 2)) // 1), reasons[:top]


def moves(
    raw: Raw, catalogue: Mapping[str, Fact], facts: Mapping[str, Any], outcome: str
) -> list[tuple[str, FactValue, FactValue, str]] | None:
    """Try every candidate value of every fact the customer can change, one at a time."""
    (table,) = [table for table in raw["tables"] if table["output"]["name"] == outcome]
    order = table["output"]["values"]
    now = evaluate(raw, catalogue, facts).outcomes[outcome]
    if now is None or order.index(now) == 0:
        return None
    found: list[tuple[str, FactValue, FactValue, str]] = []
    for name in used(raw, catalogue):
        fact = catalogue[name]
        value = check(fact, facts.get(name))
        if not fact.influenceable or value is None:
            continue
        lifts = []
        for place, other in enumerate(_declared(raw, fact)):
            if other is None or other == value:
                continue
            then = evaluate(raw, catalogue, {**facts, name: other}).outcomes[outcome]
            if then is not None and order.index(then) < order.index(now):
                lifts.append((_distance(value, other), order.index(then), place, other, then))
        if lifts:
            *_, to, reaches = min(lifts, key=lambda lift: lift[:3])
            found.append((name, value, to, str(reaches)))
    return found


def _declared(raw: Raw, fact: Fact) -> list[FactValue]:
    """Return candidates in the order that breaks ties; text that no rule names is no advice."""
    values = candidates(raw, fact)
    if fact.type is FactType.ENUM:
        return list(fact.values)
    if fact.type is FactType.STRING:
        return [value for value in values if value != OTHER]
    return values


def _distance(value: FactValue, other: FactValue) -> int:
    if isinstance(value, date) and isinstance(other, date):
        return abs(value.toordinal() - other.toordinal())
    if isinstance(value, bool) or not isinstance(value, int) or not isinstance(other, int):
        return 1
    return abs(value - other)
