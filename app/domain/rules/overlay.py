"""Laying a document over the template that it extends, by ids, before it is read."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from app.domain.rules.findings import DocumentError, Finding

Resolve: TypeAlias = Callable[[str], Mapping[str, object]]
"""Returns the raw document that a reference such as ``motor@1`` names, or raises LookupError."""

EXTENDS = "extends"
REMOVED = "removed"
MAX_REFERENCE_LENGTH = 100


def resolve_extends(
    raw: Mapping[str, object], resolve: Resolve | None
) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the document laid over its templates, and their references, nearest first.

    Mappings merge key by key. Characteristics, tables and rules merge by ``id``: a new id comes
    last, and ``removed: true`` drops the template's entry. Everything else replaces. A rule's
    ``when``, a profile of weights and an ``output`` are replaced whole, since half of each from
    two places means nothing. The ``id`` and the ``tests`` are never inherited: tests prove the
    document that they were written for.
    """
    layers: list[Mapping[str, object]] = [raw]
    lineage: list[str] = []
    while EXTENDS in layers[-1]:
        reference = layers[-1][EXTENDS]
        layers.append(_load(reference, resolve, lineage))
        lineage.append(str(reference))
    merged: dict[str, object] = dict(layers.pop())
    while layers:
        for own in ("id", "tests"):
            merged.pop(own, None)
        merged = _document(merged, layers.pop())
    return merged, tuple(lineage)


def _load(reference: object, resolve: Resolve | None, lineage: list[str]) -> Mapping[str, object]:
    if (
        not isinstance(reference, str)
        or not reference.isprintable()
        or not 0 < len(reference) <= MAX_REFERENCE_LENGTH
    ):
        raise _refused("wrong-type", "The reference is no text.", "Write it like motor@1.")
    if reference in lineage:
        raise _refused(
            "extends-cycle",
            f"{' → '.join((*lineage, reference))} goes round in a circle.",
            "Let one of them stand by itself.",
        )
    if resolve is None:
        raise _refused(
            "extends-missing", "Templates are not at hand here.", "Resolve the document first."
        )
    try:
        return resolve(reference)
    except LookupError:
        raise _refused(
            "extends-missing", f"{reference} is not known.", "Load it, or name another template."
        ) from None


def _refused(code: str, message: str, remedy: str) -> DocumentError:
    return DocumentError([Finding(EXTENDS, code, message, remedy)])


def _document(base: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    merged: dict[str, object] = {**base, **over}
    merged.pop(EXTENDS, None)
    for key in ("title", "objectives", "stability", "scorecard"):
        merged[key] = _merged(base.get(key), over.get(key))
    if isinstance(scorecard := merged["scorecard"], dict):
        lower, upper = _part(base, "scorecard"), _part(over, "scorecard")
        for key, combine in (("reasons", _merged), ("characteristics", _by_id)):
            scorecard[key] = combine(lower.get(key), upper.get(key))
    merged["tables"] = _by_id(base.get("tables"), over.get("tables"))
    return {key: _kept(value) for key, value in merged.items() if value is not None}


def _kept(value: object) -> object:
    if isinstance(value, dict):
        return {key: inner for key, inner in value.items() if inner is not None}
    return value


def _part(raw: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = raw.get(key)
    return part if isinstance(part, Mapping) else {}


def _merged(base: object, over: object) -> object:
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **over}
    return base if over is None else over


def _by_id(base: object, over: object) -> object:
    if not isinstance(base, list) or not isinstance(over, list):
        return base if over is None else over
    entries = dict(_keyed(base, "base"))
    for key, entry in _keyed(over, "over"):
        if isinstance(entry, Mapping) and entry.get(REMOVED) is True and key in entries:
            del entries[key]
        elif isinstance(entry, Mapping) and isinstance(lower := entries.get(key), Mapping):
            entries[key] = {
                **lower, **entry, **_rules(lower.get("rules"), entry.get("rules"))
            }  # fmt: skip
        else:
            entries[key] = entry
    return list(entries.values())


def _rules(base: object, over: object) -> dict[str, object]:
    merged = _by_id(base, over)
    return {} if merged is None else {"rules": merged}


def _keyed(entries: list[object], place: str) -> list[tuple[str, object]]:
    """Pair entries with the id they merge by.

    An entry without an id, or with one that the same list has used, stands for itself: reading
    the merged document then reports it.
    """
    keyed: dict[str, object] = {}
    for at, entry in enumerate(entries):
        name = entry.get("id") if isinstance(entry, Mapping) else None
        key = f"id {name}" if isinstance(name, str) else f"{place} {at}"
        keyed[f"{place} {at}" if key in keyed else key] = entry
    return list(keyed.items())
