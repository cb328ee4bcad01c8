"""What differs between two documents as a whole."""

from collections import Counter
from collections.abc import Mapping

from app.domain.rules.canonical import JsonValue, rfc8785_json
from app.domain.rules.difference.model import Difference, Differences, Effect, Kind, changed, moved
from app.domain.rules.difference.scorecard import scorecard_differences
from app.domain.rules.difference.tables import table_differences
from app.domain.rules.model import RuleSetDocument
from app.domain.rules.writing import document_json


def differences(old: RuleSetDocument, new: RuleSetDocument) -> tuple[Difference, ...]:
    """Return what differs, in the order of the document; nothing exactly if the hashes are equal.

    Seen from the other side the same parts differ, with ``before`` and ``after`` exchanged.
    """
    return tuple(_differences(old, new))


def _differences(old: RuleSetDocument, new: RuleSetDocument) -> Differences:
    yield from changed("id", old.id, new.id, Effect.WORDS)
    yield from changed("product_line", old.product_line, new.product_line, Effect.DECIDES)
    yield from changed("title.en", old.title.en, new.title.en, Effect.WORDS)
    yield from changed("title.zh", old.title.zh, new.title.zh, Effect.WORDS)
    yield from changed("risk_model", old.risk_model, new.risk_model, Effect.WORDS)
    yield from _objectives(old, new)
    yield from scorecard_differences(old, new)
    yield from table_differences(old, new)
    yield from _stability(old, new)
    yield from _tests(old, new)


def _objectives(old: RuleSetDocument, new: RuleSetDocument) -> Differences:
    is_reweighted = dict(old.weights) != dict(new.weights)
    effect = Effect.DECIDES if is_reweighted else Effect.WORDS
    yield from changed("objective", old.objective, new.objective, effect)
    for name in dict.fromkeys((*new.objectives, *old.objectives)):
        is_switched_on = name in (old.objective, new.objective)
        effect = Effect.DECIDES if is_switched_on and is_reweighted else Effect.WORDS
        before, after = old.objectives.get(name), new.objectives.get(name)
        if before is None or after is None:
            yield from changed(f"objectives.{name}", _profile(before), _profile(after), effect)
        else:
            yield from _weights(f"objectives.{name}", before, after, effect)


def _profile(weights: Mapping[str, int] | None) -> str | None:
    if weights is None:
        return None
    return ", ".join(f"{dimension} {weight}" for dimension, weight in sorted(weights.items()))


def _weights(
    path: str, old: Mapping[str, int], new: Mapping[str, int], effect: Effect
) -> Differences:
    for dimension in dict.fromkeys((*new, *old)):
        before, after = (
            str(weights[dimension]) if dimension in weights else None for weights in (old, new)
        )
        yield from changed(f"{path}.{dimension}", before, after, effect)


def _stability(old: RuleSetDocument, new: RuleSetDocument) -> Differences:
    for name in ("downgrade_cooldown_days", "downgrade_step", "grace_days", "min_dwell_days"):
        before, after = (str(getattr(item.stability, name)) for item in (old, new))
        yield from changed(f"stability.{name}", before, after, Effect.DECIDES)


def _tests(old: RuleSetDocument, new: RuleSetDocument) -> Differences:
    """Yield tests that are on one side only; a test has no id, so it is known by what it says."""
    before, after = _written_tests(old), _written_tests(new)
    for at, written in _surplus(before, after):
        yield Difference(f"tests[{at}]", Kind.REMOVED, written, None, Effect.TESTS)
    for at, written in _surplus(after, before):
        yield Difference(f"tests[{at}]", Kind.ADDED, None, written, Effect.TESTS)
    yield from moved("tests", _numbered(before), _numbered(after), Effect.TESTS)


def _written_tests(document: RuleSetDocument) -> list[str]:
    tests: JsonValue = document_json(document).get("tests", [])
    return [rfc8785_json(test).decode() for test in tests] if isinstance(tests, list) else []


def _surplus(tests: list[str], others: list[str]) -> list[tuple[int, str]]:
    """Return the tests, with their places, that stand here more often than there."""
    left = Counter(others)
    found = []
    for at, written in enumerate(tests):
        if left[written]:
            left[written] -= 1
        else:
            found.append((at, written))
    return found


def _numbered(tests: list[str]) -> list[str]:
    """Tell apart tests that say the same, so that each is known by one text."""
    seen: Counter[str] = Counter()
    numbered = []
    for written in tests:
        seen[written] += 1
        numbered.append(written if seen[written] == 1 else f"{written} ({seen[written]})")
    return numbered
