"""Turning a region of a table into one customer whose facts lie in it.

Columns that are facts say their value themselves. For scores and earlier outputs a bounded search
chooses rows of earlier tables and bins, and the customer found is evaluated as any other is.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from app.domain.facts.model import Fact
from app.domain.rules.bitmasks import members
from app.domain.rules.check.cover import InconclusiveError
from app.domain.rules.check.grid import Region, meeting
from app.domain.rules.check.reach import Examination, Examined
from app.domain.rules.check.scores import EVERY_SCORE, Wanted, facts_reaching_scores
from app.domain.rules.partition import Partition
from app.domain.rules.scalar import fact_classes, score_classes, table_results
from app.domain.rules.self_test import neutral
from app.domain.rules.values import value_text

MAX_TRIES = 32
AT_COLUMN_LEVEL = " The witness is at column level."

Witness: TypeAlias = tuple[tuple[str, str], ...]

_Allowed: TypeAlias = tuple[int, ...]
"""Per slot the classes that a customer may have."""


@dataclass(slots=True)
class Witnesses:
    """Finds witnesses for the tables of one rule set.

    ``given`` are the facts that stand for scores and answers of which nobody knows where they come
    from: a test does not name them.
    """

    examination: Examination
    given: Collection[str] = ()
    _plain: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        compiled = self.examination.compiled
        self._plain = tuple(
            _plain_class(fact, partition)
            for fact, partition in zip(compiled.facts, compiled.inputs, strict=False)
        )

    def find(self, examined: Examined, region: Region) -> tuple[Witness, str]:
        """Return names and values that lie in the region, and what to remark on them.

        An empty region has none.

        Where no facts are found within the bounds of the search, the values are those of the
        columns, scores and earlier outputs included, and that is remarked.
        """
        if not all(region):
            return (), ""
        allowed = self._allowed(examined, region, self.examination.live)
        count = len(self.examination.compiled.facts)
        slots = examined.grid.compiled.slots
        if all(slot < count for slot in slots):
            return self._told(self._named(slots, [_lowest(allowed[slot]) for slot in slots]))
        for chosen in islice(self._narrowed(examined.at - 1, allowed), MAX_TRIES):
            classes = self._customer(chosen)
            if classes is not None and self._lies_in(examined, allowed, classes):
                return self._told(self._facts(examined, classes))
        return self._named(slots, [_lowest(allowed[slot]) for slot in slots]), AT_COLUMN_LEVEL

    def _told(self, witness: Witness) -> tuple[Witness, str]:
        """Return a witness and what to remark on it."""
        is_given = any(name in self.given for name, _ in witness)
        return witness, AT_COLUMN_LEVEL if is_given else ""

    def _allowed(self, examined: Examined, region: Region, allowed: _Allowed) -> _Allowed:
        """Return what is still allowed where a table's columns lie in a region."""
        narrowed = list(allowed)
        table = examined.grid.compiled
        for slot, own, classes in zip(table.slots, table.columns, region, strict=True):
            narrowed[slot] &= sum(1 << code for code, mine in enumerate(own) if classes >> mine & 1)
        return tuple(narrowed)

    def _narrowed(self, at: int, allowed: _Allowed) -> Iterator[_Allowed]:
        """Yield ways to narrow the facts so that the tables up to ``at`` answer as allowed."""
        if at < 0:
            yield allowed
            return
        examined = self.examination.tables[at]
        slot = examined.grid.compiled.slot
        if slot < 0 or allowed[slot] == self.examination.live[slot]:
            yield from self._narrowed(at - 1, allowed)
            return
        for region in self._answering(examined, allowed):
            yield from self._narrowed(at - 1, self._allowed(examined, region, allowed))

    def _answering(self, examined: Examined, allowed: _Allowed) -> Iterator[Region]:
        """Yield regions of an earlier table in which it gives an allowed answer."""
        grid, slot = examined.grid, examined.grid.compiled.slot
        partition = self.examination.compiled.inputs[slot]
        possible = self._possible(examined, allowed)
        try:
            for row, rule in enumerate(grid.rules):
                mine = meeting(grid.rows[row], possible)
                if mine is not None and allowed[slot] >> partition.word_classes[rule.then] & 1:
                    found = examined.cover.open_box(mine, examined.met[row] & ((1 << row) - 1))
                    yield from () if found is None else (found,)
            if partition.null_class >= 0 and allowed[slot] >> partition.null_class & 1:
                found = examined.cover.open_box(possible, grid.everyone)
                yield from () if found is None else (found,)
        except InconclusiveError:
            return

    def _possible(self, examined: Examined, allowed: _Allowed) -> Region:
        """Return the region of a table that what is allowed leaves."""
        table = examined.grid.compiled
        region = []
        for slot, own in zip(table.slots, table.columns, strict=True):
            classes = 0
            for code in members(allowed[slot]):
                classes |= 1 << own[code]
            region.append(classes)
        return tuple(region)

    def _customer(self, allowed: _Allowed) -> list[int] | None:
        """Return a class for each fact such that facts and scores are as allowed."""
        compiled = self.examination.compiled
        choices = {slot: _preferred(allowed[slot], plain) for slot, plain in enumerate(self._plain)}
        wanted = Wanted(
            tuple(
                self._scores(item.slot, allowed) if item.slot >= 0 else EVERY_SCORE
                for item in compiled.dimensions
            ),
            self._scores(compiled.score_slot, allowed) if compiled.score_slot >= 0 else EVERY_SCORE,
        )
        chosen = facts_reaching_scores(compiled, choices, wanted)
        if chosen is None:
            return None
        return [chosen.get(slot, codes[0]) for slot, codes in choices.items()]

    def _scores(self, slot: int, allowed: _Allowed) -> int:
        """Return the values of the allowed classes of a score, all where they are not narrowed."""
        if allowed[slot] == self.examination.live[slot]:
            return EVERY_SCORE
        values = 0
        for low, high, code in self.examination.compiled.inputs[slot].spans():
            if allowed[slot] >> code & 1:
                values |= (1 << (high + 1)) - (1 << low)
        return values

    def _lies_in(self, examined: Examined, allowed: _Allowed, classes: Sequence[int]) -> bool:
        """Evaluate the customer and say whether the table then sees what is allowed."""
        compiled = self.examination.compiled
        facts = {
            fact.name: compiled.inputs[slot].representatives[classes[slot]]
            for slot, fact in enumerate(compiled.facts)
        }
        seen = fact_classes(compiled, facts)
        score_classes(compiled, seen)
        table_results(compiled, seen, compiled.tables[: examined.at])
        return all(
            seen[slot] >= 0 and allowed[slot] >> seen[slot] & 1
            for slot in examined.grid.compiled.slots
        )

    def _facts(self, examined: Examined, classes: Sequence[int]) -> Witness:
        """Name the facts on the table's path, and others that a test would have to name."""
        told = [slot for slot in self._path(examined) if slot < len(classes)]
        told += [
            slot
            for slot, code in enumerate(classes)
            if slot not in told
            and code != self._plain[slot]
            and self.examination.compiled.inputs[slot].name not in self.given
        ]
        return self._named(told, [classes[slot] for slot in told])

    def _path(self, examined: Examined) -> list[int]:
        """Return the columns of a table and of the tables whose answers it reads."""
        slots = list(examined.grid.compiled.slots)
        for earlier in self.examination.tables[: examined.at]:
            if earlier.grid.compiled.slot in examined.grid.compiled.slots:
                slots += self._path(earlier)
        return list(dict.fromkeys(slots))

    def _named(self, slots: Sequence[int], classes: Sequence[int]) -> Witness:
        inputs = [self.examination.compiled.inputs[slot] for slot in slots]
        return tuple(
            (item.name, value_text(item.domain, item.representatives[code]))
            for item, code in zip(inputs, classes, strict=True)
        )


def _plain_class(fact: Fact, partition: Partition) -> int:
    """Return the class of the value that a test leaves out, -1 where it must be named."""
    value = neutral(fact)
    if value is None:
        return partition.null_class
    if value in partition.direct:
        return partition.direct[value]
    return next(code for low, high, code in partition.spans() if low <= value <= high)


def _preferred(classes: int, plain: int) -> list[int]:
    """List classes, the plain one first."""
    codes = list(members(classes))
    return sorted(codes, key=lambda code: code != plain)


def _lowest(classes: int) -> int:
    return next(members(classes))
