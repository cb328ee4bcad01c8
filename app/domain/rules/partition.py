"""Cutting an input's domain into classes that no cell tells apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.facts.model import FactValue
from app.domain.rules.bitmasks import transposed
from app.domain.rules.cell_sets import Cell, union, unnamed
from app.domain.rules.domains import Domain, Kind
from app.domain.rules.values import KnownValue, fact_value

MAX_DIRECT = 1_000


@dataclass(frozen=True, slots=True)
class Partition:
    """The classes of one input over all the cells that read it.

    The breakpoints of the cells cut an ordered domain into atoms, ``starts`` holding the first
    value of each and ``start_classes`` its class; every other domain has ``word_classes``, and
    ``other_class`` for a text that no cell names. Null is an atom of its own. Atoms that all
    cells treat alike share a class, so a class may have several spans of values. A class that
    cannot occur is -1. ``direct`` lists the classes of values one by one where they are words or
    few, which spares the search. ``representatives`` has one value of every class.
    """

    name: str
    domain: Domain
    starts: tuple[int, ...]
    start_classes: tuple[int, ...]
    word_classes: Mapping[str, int]
    other_class: int
    null_class: int
    direct: Mapping[KnownValue, int]
    representatives: tuple[FactValue, ...]

    @property
    def size(self) -> int:
        """The number of classes."""
        return len(self.representatives)

    @property
    def value_classes(self) -> frozenset[int]:
        """The classes that hold some value, null aside."""
        others = (self.other_class,) if self.other_class >= 0 else ()
        return frozenset((*self.start_classes, *self.word_classes.values(), *others))

    def spans(self) -> tuple[tuple[int, int, int], ...]:
        """Return first value, last value and class of each atom of an ordered domain."""
        ends = (*(start - 1 for start in self.starts[1:]), self.domain.high)
        return tuple(zip(self.starts, ends, self.start_classes, strict=True))

    def cell(self, classes: int) -> Cell:
        """Return the values of a set of classes, a bitmask, as a cell."""

        def is_inside(code: int) -> bool:
            return code >= 0 and classes >> code & 1 == 1

        has_null, others = is_inside(self.null_class), is_inside(self.other_class)
        if self.domain.is_ordered:
            spans = tuple((low, high) for low, high, code in self.spans() if is_inside(code))
            return union(self.domain, Cell(has_null), Cell(has_null=False, spans=spans))
        words = tuple(word for word, code in self.word_classes.items() if is_inside(code) != others)
        return Cell(has_null, words=words, others=others)


def build_partition(
    name: str, domain: Domain, cells: Sequence[Cell]
) -> tuple[Partition, tuple[int, ...]]:
    """Return the partition and, for each cell, the set of its classes as a bitmask."""
    null_mark = sum(1 << at for at, cell in enumerate(cells) if cell.has_null)
    starts, start_marks = _ordered_atoms(domain, cells) if domain.is_ordered else ((), ())
    words, word_marks = ((), ()) if domain.is_ordered else _word_atoms(domain, cells)
    other_mark = sum(1 << at for at, cell in enumerate(cells) if cell.others)
    classes: dict[int, int] = {}
    representatives: list[FactValue] = []

    def class_of(mark: int, value: FactValue) -> int:
        if mark not in classes:
            classes[mark] = len(classes)
            representatives.append(value)
        return classes[mark]

    start_classes = [
        class_of(mark, fact_value(domain, start))
        for start, mark in zip(starts, start_marks, strict=True)
    ]
    word_classes = {
        word: class_of(mark, fact_value(domain, word))
        for word, mark in zip(words, word_marks, strict=True)
    }
    other_class = class_of(other_mark, unnamed(words)) if domain.is_open else -1
    null_class = class_of(null_mark, None) if domain.nullable else -1
    merged = _merged(starts, start_classes)
    partition = Partition(
        name=name,
        domain=domain,
        starts=tuple(start for start, _ in merged),
        start_classes=tuple(code for _, code in merged),
        word_classes=word_classes,
        other_class=other_class,
        null_class=null_class,
        direct=_direct(domain, word_classes, merged),
        representatives=tuple(representatives),
    )
    return partition, tuple(transposed(list(classes), len(cells)))


def _ordered_atoms(
    domain: Domain, cells: Sequence[Cell]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the first value of each atom and the set of cells that hold the atom."""
    toggles: dict[int, int] = {domain.low: 0}
    for at, cell in enumerate(cells):
        for low, high in cell.spans:
            toggles[low] = toggles.get(low, 0) ^ (1 << at)
            if high < domain.high:
                toggles[high + 1] = toggles.get(high + 1, 0) ^ (1 << at)
    starts = tuple(sorted(toggles))
    marks: list[int] = []
    mark = 0
    for start in starts:
        mark ^= toggles[start]
        marks.append(mark)
    return starts, tuple(marks)


def _word_atoms(domain: Domain, cells: Sequence[Cell]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    named: Iterable[str] = domain.words
    if domain.is_open:
        named = sorted({word for cell in cells for word in cell.words})
    # Only what a cell names is looked at: thousands of cells may name thousands of words.
    marks = dict.fromkeys(named, sum(1 << at for at, cell in enumerate(cells) if cell.others))
    for at, cell in enumerate(cells):
        # An answer that no row gives is in cells of later tables, but is no value here.
        for word in marks.keys() & cell.words:
            marks[word] ^= 1 << at
    return tuple(marks), tuple(marks.values())


def _direct(
    domain: Domain, words: Mapping[str, int], atoms: Sequence[tuple[int, int]]
) -> dict[KnownValue, int]:
    """List the class of each boolean, named text or number of a small range."""
    direct: dict[KnownValue, int] = {}
    if domain.kind is Kind.BOOL:
        direct.update((word == "true", code) for word, code in words.items())
    elif domain.kind is Kind.TEXT:
        direct.update(words)
    elif domain.kind is Kind.NUMBER and domain.high - domain.low <= MAX_DIRECT:
        ends = [*(start for start, _ in atoms[1:]), domain.high + 1]
        for (start, code), end in zip(atoms, ends, strict=True):
            direct.update((value, code) for value in range(start, end))
    return direct


def _merged(starts: Sequence[int], codes: Sequence[int]) -> list[tuple[int, int]]:
    """Drop every atom whose left neighbour has the same class."""
    pairs = list(zip(starts, codes, strict=True))
    return [pair for at, pair in enumerate(pairs) if at == 0 or pairs[at - 1][1] != pair[1]]
