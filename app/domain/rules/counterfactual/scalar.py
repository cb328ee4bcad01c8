"""What would lift one customer's outcome."""

from collections.abc import Iterator, Mapping
from datetime import date

from app.domain.facts.model import FactValue
from app.domain.rules.compiled import CompiledRuleSet
from app.domain.rules.counterfactual.levers import Gap, Levers, Move, levers
from app.domain.rules.partition import Partition
from app.domain.rules.scalar import fact_classes, score_classes, table_results
from app.domain.rules.values import fact_value


def gap(
    compiled: CompiledRuleSet, facts: Mapping[str, FactValue], *, outcome: str = "tier"
) -> Gap | None:
    """Return, for each single fact the customer can influence, the smallest change that helps.

    Nothing is sampled: cells change their answer only at the breakpoints of the rule set, so of
    each class of a fact's values the one nearest to the current value stands for all. Among equal
    changes the better outcome wins, then the smaller or first declared value. A fact that is null
    has no value to change and is never made null. None if there is nothing better, or no answer.
    Raises InputError as evaluation does.
    """
    known = levers(compiled, outcome)
    classes = fact_classes(compiled, facts)
    current = _answer(compiled, known, classes)
    if current is None or known.ranks[current] == 0:
        return None
    rank = known.ranks[current]
    moves = [
        _move(compiled, known, classes, (slot, rank), facts.get(compiled.facts[slot].name))
        for slot in known.slots
    ]
    return Gap(
        outcome=outcome,
        current=current,
        target=known.table.table.output.values[rank - 1],
        moves=tuple(move for move in moves if move is not None),
    )


def _answer(compiled: CompiledRuleSet, known: Levers, classes: list[int]) -> str | None:
    score_classes(compiled, classes)
    *_, (_, result) = table_results(compiled, classes, known.tables)
    return None if result.answer is None else str(result.answer)


def _move(
    compiled: CompiledRuleSet,
    known: Levers,
    classes: list[int],
    place: tuple[int, int],
    value: FactValue,
) -> Move | None:
    slot, rank = place
    if value is None or isinstance(value, float):
        return None
    partition = compiled.inputs[slot]
    best: tuple[tuple[int, int, int], FactValue, str] | None = None
    for code, distance, order, target in _nearest(partition, value):
        if code == classes[slot]:
            continue
        changed = classes.copy()
        changed[slot] = code
        reached = _answer(compiled, known, changed)
        if reached is None or known.ranks[reached] >= rank:
            continue
        key = (distance, known.ranks[reached], order)
        if best is None or key < best[0]:
            best = (key, target, reached)
    return None if best is None else Move(partition.name, value, best[1], best[2])


def _nearest(partition: Partition, value: FactValue) -> Iterator[tuple[int, int, int, FactValue]]:
    """Return class, distance, tie-breaking order and value of each candidate."""
    if not partition.domain.is_ordered:
        for place, (word, code) in enumerate(partition.word_classes.items()):
            yield code, 1, place, fact_value(partition.domain, word)
        return
    number = value.toordinal() if isinstance(value, date) else int(str(value))
    for low, high, code in partition.spans():
        near = min(max(number, low), high)
        yield code, abs(near - number), near, fact_value(partition.domain, near)
