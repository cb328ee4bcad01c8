"""Proving a table complete and free of overlaps, or finding a witness against it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.domain.rules.bitmasks import members, transposed

Masks = Sequence[Sequence[int]]


class InconclusiveError(Exception):
    """The proof needs more steps than it was given."""


def find_gap(masks: Masks, rows: int, budget: int) -> tuple[int, ...] | None:
    """Return one class per column that no row accepts together, or None if there is none.

    ``masks`` holds, per column and class, the set of accepting rows as a bitmask. Raises
    InconclusiveError after ``budget`` steps.
    """
    everyone = (1 << rows) - 1
    # The columns that most rows constrain come first: they leave the fewest rows to follow.
    order = sorted(range(len(masks)), key=lambda at: sum(mask == everyone for mask in masks[at]))
    columns = [masks[at] for at in order]
    search = _GapSearch(columns, _accepting_all(columns, everyone), budget)
    found = search.below(0, everyone)
    if found is None:
        return None
    witness = [0] * len(masks)
    for at, code in zip(order, found, strict=True):
        witness[at] = code
    return tuple(witness)


def find_overlaps(
    masks: Masks, answers: Sequence[object] | None, rows: int
) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Yield every pair of rows that match together, with one class per column as a witness.

    With ``answers``, the answer of each row, pairs that answer alike are left out.
    """
    classes = [transposed(column, rows) for column in masks]
    for row in range(rows):
        # Two rows match together if they share a class in every column.
        others = (1 << rows) - (2 << row)
        for column, accepted in zip(masks, classes, strict=True):
            together = 0
            for code in members(accepted[row]):
                together |= column[code]
            others &= together
        for other in members(others):
            if answers is None or answers[row] != answers[other]:
                yield row, other, _shared_classes(masks, 1 << row | 1 << other)


def _shared_classes(masks: Masks, pair: int) -> tuple[int, ...]:
    return tuple(
        next(code for code, mask in enumerate(column) if mask & pair == pair) for column in masks
    )


def _accepting_all(columns: Masks, everyone: int) -> list[int]:
    """Return, for each column, the rows that accept everything from that column on."""
    accepting = [everyone]
    for column in reversed(columns):
        all_classes = accepting[-1]
        for mask in column:
            all_classes &= mask
        accepting.append(all_classes)
    return accepting[::-1]


@dataclass(slots=True)
class _GapSearch:
    columns: Masks
    accepting: Sequence[int]
    budget: int
    covered: set[tuple[int, int]] = field(default_factory=set)

    def below(self, depth: int, mask: int) -> tuple[int, ...] | None:
        """Return the classes of the remaining columns that no row of the mask accepts."""
        if mask == 0:
            return (0,) * (len(self.columns) - depth)
        if mask & self.accepting[depth] or (depth, mask) in self.covered:
            return None
        if self.budget == 0:
            raise InconclusiveError
        self.budget -= 1
        for code, accepted in enumerate(self.columns[depth]):
            rest = self.below(depth + 1, mask & accepted)
            if rest is not None:
                return (code, *rest)
        self.covered.add((depth, mask))
        return None
