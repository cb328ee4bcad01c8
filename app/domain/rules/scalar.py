"""Evaluating one customer."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from math import isnan

from app.domain.facts.model import FactValue
from app.domain.rules.compiled import (
    CompiledRuleSet,
    CompiledTable,
    Result,
    collected,
)
from app.domain.rules.evaluation import (
    NULL_PROBLEM,
    RANGE_PROBLEM,
    TYPE_PROBLEM,
    Answer,
    Evaluation,
    InputError,
    Reason,
)
from app.domain.rules.partition import Partition
from app.domain.rules.values import KnownValue


def evaluate(compiled: CompiledRuleSet, facts: Mapping[str, FactValue]) -> Evaluation:
    """Evaluate one customer's facts.

    A missing fact, None and a float NaN are null. Raises InputError, naming the first fact in the
    rule set's order, for null where the fact is never null, a value of the wrong type (every other
    float included) and a value outside the declared range.
    """
    classes = fact_classes(compiled, facts)
    scores, score = score_classes(compiled, classes)
    outcomes: dict[str, Answer] = {}
    fired: dict[str, tuple[str, ...]] = {}
    for table, result in table_results(compiled, classes, compiled.tables):
        outcomes[table.table.output.name] = result.answer
        fired[table.table.id] = result.fired
    return Evaluation(scores, score, outcomes, fired, _reasons(compiled, classes))


def fact_classes(compiled: CompiledRuleSet, facts: Mapping[str, FactValue]) -> list[int]:
    """Return the class of each fact, with room for the derived inputs; raises InputError."""
    inputs = compiled.inputs
    classes = [0] * len(inputs)
    for slot, value_type in enumerate(compiled.value_types):
        partition = inputs[slot]
        value = facts.get(partition.name)
        # The exact type: True is no number here, and a moment is no day.
        if type(value) is not value_type or value is None:
            classes[slot] = _null_class(partition, value)
        elif value in partition.direct:
            classes[slot] = partition.direct[value]
        else:
            classes[slot] = _searched_class(partition, value)
    return classes


def _searched_class(partition: Partition, value: KnownValue) -> int:
    """Return the class of a value that is of its fact's type and not listed one by one."""
    number = value.toordinal() if isinstance(value, date) else value
    if isinstance(number, str):
        if partition.other_class >= 0:
            return partition.other_class
    elif partition.domain.low <= number <= partition.domain.high:
        return partition.start_classes[bisect_right(partition.starts, number) - 1]
    raise InputError(partition.name, RANGE_PROBLEM)


def _null_class(partition: Partition, value: object) -> int:
    """Return the class of null; None and NaN are null, anything else is of a wrong type."""
    if value is not None and not (isinstance(value, float) and isnan(value)):
        raise InputError(partition.name, TYPE_PROBLEM)
    if partition.null_class < 0:
        raise InputError(partition.name, NULL_PROBLEM)
    return partition.null_class


def table_results(
    compiled: CompiledRuleSet, classes: list[int], tables: Sequence[CompiledTable]
) -> list[tuple[CompiledTable, Result]]:
    """Return the result of each table in order; fills in the classes of outputs read later.

    The classes of the facts and of the scores must stand in ``classes``.
    """
    results: list[tuple[CompiledTable, Result]] = []
    for table in tables:
        result = _result(table, classes)
        if table.slot >= 0:
            classes[table.slot] = answer_class(compiled.inputs[table.slot], result.answer)
        results.append((table, result))
    return results


def answer_class(partition: Partition, answer: Answer) -> int:
    """Return the class that a single answer has for the tables that read it."""
    return partition.null_class if answer is None else partition.word_classes[str(answer)]


def score_classes(compiled: CompiledRuleSet, classes: list[int]) -> tuple[dict[str, int], int]:
    """Return the dimension scores and the score; fills in the classes of those read later."""
    scores: dict[str, int] = {}
    weighted = 500
    for dimension in compiled.dimensions:
        added = 0
        for slot, numbers in dimension.steps:
            added += numbers[classes[slot]]
        scaled = dimension.scaled(added)
        scores[dimension.name] = scaled
        weighted += dimension.weight * scaled
        if dimension.slot >= 0:
            classes[dimension.slot] = _score_class(compiled.inputs[dimension.slot], scaled)
    score = weighted // 1000
    if compiled.score_slot >= 0:
        classes[compiled.score_slot] = _score_class(compiled.inputs[compiled.score_slot], score)
    return scores, score


def _score_class(partition: Partition, score: int) -> int:
    return partition.start_classes[bisect_right(partition.starts, score) - 1]


def _result(table: CompiledTable, classes: Sequence[int]) -> Result:
    if table.dense is not None:
        at = 0
        for slot, numbers in table.steps:
            at += numbers[classes[slot]]
        return table.results[table.dense[at]]
    mask = -1
    for slot, column, masks in zip(table.slots, table.columns, table.masks, strict=True):
        mask &= masks[column[classes[slot]]]
    if table.is_collect:
        return collected(table.table, mask)
    return table.results[(mask & -mask).bit_length()]


def _reasons(compiled: CompiledRuleSet, classes: Sequence[int]) -> tuple[Reason, ...]:
    found: list[Reason] = []
    for member in compiled.characteristics:
        reason = member.reasons[classes[member.slot]]
        if reason is not None:
            found.append(reason)
    # Sorting is stable, so ties stay in the order of declaration.
    found.sort(key=lambda reason: -reason.rank)
    return tuple(found[: compiled.document.top_reasons])
