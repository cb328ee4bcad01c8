"""Which scores can be reached, exactly, and facts that reach them.

A dimension adds up points per fact, so its raw sums are found by shifting a bitmask of sums once
for each class of each fact. Facts that several dimensions read are fixed first, in every way that
differs; with them fixed the dimensions are independent, and the score adds them up likewise.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from math import gcd

from app.domain.rules.bitmasks import members
from app.domain.rules.compiled import CompiledDimension, CompiledRuleSet
from app.domain.rules.domains import SCORE_HIGH

PER_MILLE = 1000
EVERY_SCORE = (1 << (SCORE_HIGH + 1)) - 1
MAX_FIXED = 500

Choices = Mapping[int, Sequence[int]]
"""Per slot of a fact the classes it may take, the preferred ones first."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The values of each dimension and of the score that will do, as sets of 0 to 1000."""

    dimensions: tuple[int, ...]
    score: int = EVERY_SCORE


@dataclass(frozen=True, slots=True)
class Reached:
    """The values of each dimension and of the score that some facts reach, as sets.

    They are exact unless facts are shared by dimensions in too many ways; then ``is_exact`` is
    false and the score's set may hold some that none reach.
    """

    dimensions: tuple[int, ...]
    score: int
    is_exact: bool


def reached_scores(compiled: CompiledRuleSet) -> Reached:
    """Return every score that can be reached."""
    everything = {slot: range(compiled.inputs[slot].size) for slot in _slots(compiled)}
    free = [_scaled(item, _sums(item, everything)[-1]) for item in compiled.dimensions]
    if compiled.score_slot < 0:
        return Reached(tuple(free), EVERY_SCORE, is_exact=True)
    fixed = list(_fixed(compiled, everything))
    if len(fixed) > MAX_FIXED:
        return Reached(tuple(free), _scores(compiled, _totals(compiled, free)[-1]), is_exact=False)
    score = 0
    for shared in fixed:
        choices = everything | shared
        values = [_scaled(item, _sums(item, choices)[-1]) for item in compiled.dimensions]
        score |= _scores(compiled, _totals(compiled, values)[-1])
    return Reached(tuple(free), score, is_exact=True)


def facts_reaching_scores(
    compiled: CompiledRuleSet, choices: Choices, wanted: Wanted
) -> dict[int, int] | None:
    """Return a class for every fact of the scorecard such that the scores are as wanted.

    None where there is none, or none among the first few hundred ways to fix shared facts.
    """
    for shared in islice(_fixed(compiled, choices), MAX_FIXED):
        found = _with_fixed(compiled, {**choices, **shared}, wanted)
        if found is not None:
            return found
    return None


def _with_fixed(
    compiled: CompiledRuleSet, choices: Choices, wanted: Wanted
) -> dict[int, int] | None:
    """Return classes for facts of which those shared by dimensions are fixed."""
    dimensions = compiled.dimensions
    sums = [_sums(item, choices) for item in dimensions]
    allowed = [
        _scaled(item, found[-1]) & values
        for item, found, values in zip(dimensions, sums, wanted.dimensions, strict=True)
    ]
    if not all(allowed):
        return None
    values = _values(compiled, allowed, [_plain(item, choices) for item in dimensions], wanted)
    if values is None:
        return None
    chosen: dict[int, int] = {}
    for item, found, value in zip(dimensions, sums, values, strict=True):
        chosen.update(_classes(item, choices, found, value))
    return chosen


def _values(
    compiled: CompiledRuleSet, allowed: Sequence[int], plain: Sequence[int], wanted: Wanted
) -> list[int] | None:
    """Return a value of each dimension such that the score is as wanted, plain ones if possible."""
    if wanted.score == EVERY_SCORE:
        return [
            value if values >> value & 1 else next(members(values))
            for value, values in zip(plain, allowed, strict=True)
        ]
    totals = _totals(compiled, allowed)
    total = next(
        (t for score in members(wanted.score) for t in _in(totals[-1], _units(compiled, score))),
        None,
    )
    if total is None:
        return None
    values: list[int] = []
    for at in reversed(range(len(allowed))):
        step = _step(compiled, at)
        tried = chain((plain[at],), members(allowed[at]))
        value = next(
            s for s in tried if allowed[at] >> s & 1 and _holds(totals[at], total - step * s)
        )
        total -= step * value
        values.append(value)
    return values[::-1]


def _plain(item: CompiledDimension, choices: Choices) -> int:
    """Return the value of a dimension at the preferred class of each fact."""
    return item.scaled(sum(points[choices[slot][0]] for slot, points in item.steps))


def _classes(
    item: CompiledDimension, choices: Choices, sums: Sequence[int], value: int
) -> Iterator[tuple[int, int]]:
    """Yield slots and classes whose points give one value of a dimension."""
    plain = sum(points[choices[slot][0]] for slot, points in item.steps)
    raws = _raw(item, value)
    total = plain if plain in raws else next(_in(sums[-1], raws))
    for at in reversed(range(len(item.steps))):
        slot, points = item.steps[at]
        code = next(k for k in choices[slot] if _holds(sums[at], total - points[k]))
        total -= points[code]
        yield slot, code


def _slots(compiled: CompiledRuleSet) -> set[int]:
    return {slot for item in compiled.dimensions for slot, _ in item.steps}


def _fixed(compiled: CompiledRuleSet, choices: Choices) -> Iterator[dict[int, list[int]]]:
    """Yield the ways to fix the facts that several dimensions read, up to one more than are tried.

    Classes that give the same points everywhere are one way.
    """
    users: dict[int, list[tuple[int, ...]]] = {}
    for item in compiled.dimensions:
        for slot, points in item.steps:
            users.setdefault(slot, []).append(points)
    shared = [slot for slot, columns in users.items() if len(columns) > 1]
    ways: list[list[int]] = []
    for slot in shared:
        kinds: dict[tuple[int, ...], int] = {}
        for code in choices[slot]:
            kinds.setdefault(tuple(points[code] for points in users[slot]), code)
        ways.append(list(kinds.values()))
    for codes in islice(product(*ways), MAX_FIXED + 1):
        yield {slot: [code] for slot, code in zip(shared, codes, strict=True)}


def _sums(item: CompiledDimension, choices: Choices) -> list[int]:
    """Return the sets of raw sums before the first fact and after each."""
    sums = [1]
    for slot, points in item.steps:
        sums.append(_shifted(sums[-1], {points[code] for code in choices[slot]}))
    return sums


def _scaled(item: CompiledDimension, sums: int) -> int:
    """Return the dimension's scores for a set of raw sums, by whichever are fewer."""
    if sums.bit_count() <= SCORE_HIGH:
        return _set_of(item.scaled(raw) for raw in members(sums))
    values = range(SCORE_HIGH + 1)
    return _set_of(value for value in values if _window(sums, _raw(item, value)))


def _raw(item: CompiledDimension, value: int) -> range:
    """Return the raw sums that are scaled to one score: the inverse of rounding half up."""
    span = item.high - item.low
    if span == 0:
        return range(1)
    low = -((span - 2 * value * span) // 2000)
    end = -((span - 2 * (value + 1) * span) // 2000)
    return range(max(low, 0), min(end, span + 1))


def _totals(compiled: CompiledRuleSet, values: Sequence[int]) -> list[int]:
    """Return the sets of weighted sums, in units, before the first dimension and after each."""
    totals = [1]
    for at, allowed in enumerate(values):
        step = _step(compiled, at)
        totals.append(_shifted(totals[-1], (step * value for value in members(allowed))))
    return totals


def _unit(compiled: CompiledRuleSet) -> int:
    """Return the largest number that divides all weights; weighted sums are counted in it."""
    return gcd(*(item.weight for item in compiled.dimensions))


def _step(compiled: CompiledRuleSet, at: int) -> int:
    return compiled.dimensions[at].weight // _unit(compiled)


def _units(compiled: CompiledRuleSet, score: int) -> range:
    """Return the weighted sums, in units, that are rounded to one score."""
    unit = _unit(compiled)
    middle = PER_MILLE // 2
    low = -((middle - PER_MILLE * score) // unit)
    end = -((middle - PER_MILLE * (score + 1)) // unit)
    return range(max(low, 0), end)


def _scores(compiled: CompiledRuleSet, totals: int) -> int:
    """Return the scores for a set of weighted sums, by whichever are fewer."""
    if totals.bit_count() <= SCORE_HIGH:
        unit = _unit(compiled)
        # Half up, as _units has it the other way round.
        return _set_of((unit * total + PER_MILLE // 2) // PER_MILLE for total in members(totals))
    values = range(SCORE_HIGH + 1)
    return _set_of(value for value in values if _window(totals, _units(compiled, value)))


def _set_of(values: Iterable[int]) -> int:
    found = 0
    for value in values:
        found |= 1 << value
    return found


def _shifted(mask: int, amounts: Iterable[int]) -> int:
    """Return the sums of a member of a set and one of the amounts."""
    shifted = 0
    for amount in amounts:
        shifted |= mask << amount
    return shifted


def _window(mask: int, span: range) -> int:
    """Return the part of a set that lies in a span, counted from the span's start."""
    return mask >> span.start & ((1 << len(span)) - 1)


def _in(mask: int, span: range) -> Iterator[int]:
    """Yield the members of a set that lie in a span."""
    return (span.start + at for at in members(_window(mask, span)))


def _holds(mask: int, value: int) -> bool:
    return value >= 0 and mask >> value & 1 == 1
