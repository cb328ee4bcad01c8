"""What is counted while a simulation walks through the book."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from app.domain.tiering.ladder import LADDER
from app.domain.words import RULE_SET_LINES, SEGMENTS
from app.features.rule_sets.service import WordedFinding
from app.features.simulations.service.plan import Boxed
from app.features.simulations.service.report import (
    UNKNOWN,
    Attribute,
    Direction,
    Effect,
    Effects,
    Fairness,
    InputErrors,
    Loads,
    Move,
    Moves,
    Part,
    Report,
    Shift,
)

#: Groups of one attribute that are told apart; the customers of the others count together.
MOST_GROUPS: Final = 40
OTHERS: Final = "others"

OWN: Final = ""
"""Stands for the candidate's own objective."""

_NO_FINDINGS: Final = Boxed()


class Cell(NamedTuple):
    """What customers have in common that are counted together."""

    objective: str
    line: str
    segment: str
    evaluated_before: str
    evaluated_after: str
    serving_before: str
    serving_after: str


class Group(NamedTuple):
    """Customers who are alike in one attribute and move alike."""

    attribute: Attribute
    group: str
    direction: Direction


class Answered(NamedTuple):
    """One answer of a table."""

    outcome: str
    value: str


@dataclass(slots=True)
class Tally:
    """Counts of one part of the book, or of all of it; premiums are yearly, in minor units.

    Whom the candidate decides for is in `decided`, and in `inside` how many of them the box of each
    finding of the plan holds, by its place there.
    """

    cells: Counter[Cell] = field(default_factory=Counter)
    premiums: Counter[Cell] = field(default_factory=Counter)
    before: Counter[Answered] = field(default_factory=Counter)
    after: Counter[Answered] = field(default_factory=Counter)
    errors_before: Counter[str] = field(default_factory=Counter)
    errors_after: Counter[str] = field(default_factory=Counter)
    groups: Counter[Group] = field(default_factory=Counter)
    inside: Counter[int] = field(default_factory=Counter)
    customers: int = 0
    undecided: int = 0
    decided: int = 0
    refused: int = 0
    unjudged: int = 0
    movers: int = 0

    def add(self, other: Tally) -> None:
        """Count another part in."""
        for name in self.__dataclass_fields__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            else:
                setattr(self, name, mine + theirs)

    def report(
        self, loads: Loads, objectives: Sequence[str], boxed: Boxed = _NO_FINDINGS
    ) -> Report:
        """What was found.

        Args:
            loads: what tiers are promised and granted.
            objectives: the other profiles, in the order asked for.
            boxed: the findings whose customers are in `inside`.
        """
        return Report(
            customers=self.customers,
            undecided=self.undecided,
            refused=self.refused,
            unjudged=self.unjudged,
            movers=self.movers,
            moves=self._moves(lambda cell: cell.objective == OWN),
            lines=self._parts(RULE_SET_LINES, lambda cell: cell.line),
            segments=self._parts((*SEGMENTS, UNKNOWN), lambda cell: cell.segment),
            objectives=tuple(
                Part(name, self._moves(lambda cell, name=name: cell.objective == name))  # type: ignore[misc]
                for name in objectives
            ),
            shifts=tuple(
                Shift(*answer, self.before[answer], self.after[answer])
                for answer in sorted({*self.before, *self.after})
            ),
            input_errors=tuple(
                InputErrors(error, self.errors_before[error], self.errors_after[error])
                for error in sorted({*self.errors_before, *self.errors_after})
            ),
            fairness=tuple(self._fairness()),
            loads=loads,
            effects=self._effects(boxed),
        )

    def _effects(self, boxed: Boxed) -> Effects:
        listed = (
            Effect(WordedFinding.of(finding), self.inside[place])
            for place, finding in enumerate(boxed.findings)
        )
        return Effects(self.decided, tuple(listed), boxed.unlisted, boxed.classes)

    def _parts(self, names: Sequence[str], name_of: Callable[[Cell], str]) -> tuple[Part, ...]:
        """The parts that have any customers, in the order of their names."""
        parts: dict[str, list[Cell]] = {}
        for cell in self.cells:
            if cell.objective == OWN:
                parts.setdefault(name_of(cell), []).append(cell)
        return tuple(Part(name, self._moves_of(parts[name])) for name in names if name in parts)

    def _moves(self, is_meant: Callable[[Cell], bool]) -> Moves:
        return self._moves_of(cell for cell in self.cells if is_meant(cell))

    def _moves_of(self, cells: Iterable[Cell]) -> Moves:
        """The moves of some cells in both views."""
        evaluated: dict[tuple[str, str], tuple[int, int]] = {}
        serving: dict[tuple[str, str], tuple[int, int]] = {}
        for cell in cells:
            for found, move in (
                (evaluated, (cell.evaluated_before, cell.evaluated_after)),
                (serving, (cell.serving_before, cell.serving_after)),
            ):
                number, premium = found.get(move, (0, 0))
                found[move] = (number + self.cells[cell], premium + self.premiums[cell])
        return Moves(_listed(evaluated), _listed(serving))

    def _fairness(self) -> Iterator[Fairness]:
        sizes: dict[Attribute, Counter[str]] = {}
        for group, count in self.groups.items():
            sizes.setdefault(group.attribute, Counter())[group.group] += count
        told = {
            (attribute, name)
            for attribute, groups in sizes.items()
            for name, _ in groups.most_common(MOST_GROUPS)
        }
        counts: dict[tuple[Attribute, str], Counter[Direction]] = {}
        for group, count in self.groups.items():
            name = group.group if (group.attribute, group.group) in told else OTHERS
            counts.setdefault((group.attribute, name), Counter())[group.direction] += count
        for (attribute, name), moved in sorted(counts.items()):
            yield Fairness(attribute, name, moved["up"], moved["down"], moved["same"])


def _listed(found: Mapping[tuple[str, str], tuple[int, int]]) -> tuple[Move, ...]:
    """Moves, those of the best tiers first."""
    ordered = sorted(found, key=lambda move: tuple(map(LADDER.position, move)))
    return tuple(Move(*move, *found[move]) for move in ordered)
