"""What of an interface description would break a client that was written for an earlier one.

A client sends what the old document allowed and reads what it promised. So requests may only be
asked less of and answers may only promise more: a new required field breaks those who do not send
it, and a new word in an answer's enumeration breaks those who know them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.described import in_full

_Schema = Mapping[str, Any]

#: Keywords that let less through the greater they are, and those that do the smaller they are.
_FLOORS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_CEILINGS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_SUCCESS_ENDS: Final = "400"
_NOT_MODIFIED: Final = "304"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two documents, seen from one side of an exchange."""

    old: _Schema
    new: _Schema
    is_request: bool
    #: What was found in bodies: most operations answer the same problems.
    compared: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def resolve(self, old: _Schema, new: _Schema) -> tuple[_Schema, _Schema]:
        """Both schemas with their references followed."""
        return _follow(self.old, old), _follow(self.new, new)

    def bodies(self, before: _Schema, after: _Schema) -> list[str]:
        """Breaks within the schema of a body, each with its place in it; found once."""
        key = (str(before), str(after))
        if key not in self.compared:
            self.compared[key] = list(_schema(self, before, after, "", frozenset()))
        return self.compared[key]


def breaks(old: _Schema, new: _Schema) -> list[str]:
    """Every break between two documents, each with its place; empty if clients go on working."""
    # What operations share breaks each of them.
    old, new = in_full(old), in_full(new)
    found: list[str] = []
    sending, answering = (Comparison(old, new, is_request=asks) for asks in (True, False))
    for path, methods in old["paths"].items():
        for method, operation in methods.items():
            place = f"{method.upper()} {path}"
            there = new["paths"].get(path, {}).get(method)
            if there is None:
                found.append(f"{place}: operation removed")
            else:
                told = _operation(sending, answering, operation, there)
                found += [f"{place}: {one}" for one in told]
    return found


def _operation(
    sending: Comparison, answering: Comparison, before: _Schema, after: _Schema
) -> Iterator[str]:
    if before["operationId"] != after["operationId"]:
        yield "operationId changed"
    if gone := set(before.get("x-roles", ())) - set(after.get("x-roles", ())):
        yield f"roles {sorted(gone)} may no longer call"
    if "x-roles" not in before and "x-roles" in after:
        yield "a token is needed now"
    yield from _parameters(sending, before, after)
    yield from _request_body(sending, before, after)
    yield from _responses(answering, before, after)


def _parameters(seen: Comparison, before: _Schema, after: _Schema) -> Iterator[str]:
    known, there = (
        {(one["in"], one["name"]): one for one in operation.get("parameters", ())}
        for operation in (before, after)
    )
    for key, parameter in known.items():
        if key not in there:
            yield f"parameter {key[1]} removed"
            continue
        if there[key].get("required") and not parameter.get("required"):
            yield f"parameter {key[1]} became required"
        yield from _schema(seen, parameter["schema"], there[key]["schema"], key[1], frozenset())
    for key, parameter in there.items():
        if key not in known and parameter.get("required"):
            yield f"parameter {key[1]} is new and required"


def _request_body(seen: Comparison, before: _Schema, after: _Schema) -> Iterator[str]:
    known, there = before.get("requestBody", {}), after.get("requestBody", {})
    if there.get("required") and not known.get("required"):
        yield "a body became required"
    yield from _contents(seen, known.get("content", {}), there.get("content", {}), "body")


def _responses(seen: Comparison, before: _Schema, after: _Schema) -> Iterator[str]:
    for status, response in before["responses"].items():
        there = after["responses"].get(status)
        if there is None:
            yield f"status {status} removed"
            continue
        for header in set(response.get("headers", ())) - set(there.get("headers", ())):
            yield f"status {status}: header {header} removed"
        yield from _contents(seen, response.get("content", {}), there.get("content", {}), status)
    for status in set(after["responses"]) - set(before["responses"]):
        # 304 is answered only to those who ask for it, with a header that was not there before.
        if status < _SUCCESS_ENDS and status != _NOT_MODIFIED:
            yield f"status {status} is a new way to succeed"


def _contents(seen: Comparison, known: _Schema, there: _Schema, place: str) -> Iterator[str]:
    for media_type, content in known.items():
        if media_type not in there:
            yield f"{place}: {media_type} removed"
            continue
        for one in seen.bodies(content["schema"], there[media_type]["schema"]):
            yield f"{place}{one}"
        slugs = set(content.get("examples", ())) - set(there[media_type].get("examples", ()))
        if media_type == "application/problem+json" and slugs:
            yield f"{place}: problems {sorted(slugs)} removed"


def _schema(
    seen: Comparison, before: _Schema, after: _Schema, place: str, above: frozenset[str]
) -> Iterator[str]:
    """Breaks within a schema; `above` are the references it lies within, which may be its own."""
    reference = str(before.get("$ref", ""))
    if reference in above:
        return
    above |= {reference} - {""}
    before, after = seen.resolve(before, after)
    yield from _kinds(seen, before, after, place)
    yield from _words(seen, before, after, place)
    if seen.is_request:
        yield from _bounds(before, after, place)
    yield from _fields(seen, before, after, place, above)
    for part in ("items", "additionalProperties"):
        one, other = before.get(part), after.get(part)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _schema(seen, one, other, f"{place}[]", above)
    yield from _alternatives(seen, before, after, place, above)


def _kinds(seen: Comparison, before: _Schema, after: _Schema, place: str) -> Iterator[str]:
    if _is_unheard(seen, _types(before), _types(after)):
        yield f"{place}: type changed"
    if before.get("format") != after.get("format") and after.get("format"):
        yield f"{place}: format changed"


def _words(seen: Comparison, before: _Schema, after: _Schema, place: str) -> Iterator[str]:
    if _is_unheard(seen, _enumeration(before), _enumeration(after)):
        yield f"{place}: {'fewer words allowed' if seen.is_request else 'more words answered'}"


def _is_unheard(seen: Comparison, before: set[Any] | None, after: set[Any] | None) -> bool:
    """Whether one side may say what the other does not know; None is everything."""
    said, heard = (before, after) if seen.is_request else (after, before)
    return heard is not None and (said is None or bool(said - heard))


def _bounds(before: _Schema, after: _Schema, place: str) -> Iterator[str]:
    for keyword in _FLOORS:
        if keyword in after and after[keyword] > before.get(keyword, float("-inf")):
            yield f"{place}: {keyword} raised"
    for keyword in _CEILINGS:
        if keyword in after and after[keyword] < before.get(keyword, float("inf")):
            yield f"{place}: {keyword} lowered"
    if "pattern" in after and after["pattern"] != before.get("pattern"):
        yield f"{place}: pattern changed"
    if (
        after.get("additionalProperties") is False
        and before.get("additionalProperties") is not False
    ):
        yield f"{place}: further fields refused"


def _fields(
    seen: Comparison, before: _Schema, after: _Schema, place: str, above: frozenset[str]
) -> Iterator[str]:
    old, new = before.get("properties", {}), after.get("properties", {})
    for name in old.keys() - new.keys():
        yield f"{place}.{name}: removed"
    for name in sorted(old.keys() & new.keys()):
        yield from _schema(seen, old[name], new[name], f"{place}.{name}", above)
    asked, promised = set(after.get("required", ())), set(before.get("required", ()))
    if seen.is_request:
        for name in sorted(asked - promised):
            yield f"{place}.{name}: required now"
    else:
        for name in sorted((promised - asked) & new.keys()):
            yield f"{place}.{name}: no longer always there"


def _alternatives(
    seen: Comparison, before: _Schema, after: _Schema, place: str, above: frozenset[str]
) -> Iterator[str]:
    """Each alternative of the side that speaks has one that fits it on the side that listens."""
    old, new = _choices(before), _choices(after)
    if len(old) == len(new) == 1:
        return
    for one in old if seen.is_request else new:
        pairs = (
            [(one, other) for other in new] if seen.is_request else [(kind, one) for kind in old]
        )
        if not any(not list(_schema(seen, *pair, place, above)) for pair in pairs):
            yield f"{place}: an alternative changed"


def _choices(schema: _Schema) -> list[_Schema]:
    found = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return list(found)


def _types(schema: _Schema) -> set[Any] | None:
    given = schema.get("type")
    found = {given} if isinstance(given, str) else set(given or ())
    # Every integer is a number.
    return found | {"integer"} if "number" in found else found or None


def _enumeration(schema: _Schema) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _follow(document: _Schema, schema: _Schema) -> _Schema:
    while "$ref" in schema:
        found: Any = document
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema
