"""What a role is told of a report: exact counts, or none that a few customers could be known by.

Who may see value and risk of every customer in clear is told all counts. To everybody else counts
of fewer than ten are told as such only, and with them are hidden those by which they could be
reckoned: the tables of one report add up to each other in many ways, all of which stand here.

How the boxes of findings meet these tables, and each other, is up to whoever writes the rules. So
of them full tens are told and no more, as a check of the document tells them.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from app.domain.privacy.classes import Disposition, SensitivityClass
from app.domain.privacy.matrix import MATRIX
from app.domain.privacy.roles import Viewer
from app.domain.privacy.suppression import hidden_counts, is_small
from app.domain.tiering.ladder import LADDER
from app.features.simulations.service.report import Direction, Moves, Report, View, tiers_of

Key: TypeAlias = tuple[Hashable, ...]
Told: TypeAlias = int | Literal["<10"] | None
"""A count; `<10` where it is of a few; None where it would tell a small one."""

ALL: Final = ("all", "")
VIEWS: Final[tuple[View, ...]] = ("evaluated", "serving")
DIRECTIONS: Final[tuple[Direction, ...]] = ("up", "down", "same")
_SIDES: Final = ("before", "after")
_CLEAR_FOR_EXACT: Final = (
    SensitivityClass.INTERNAL,
    SensitivityClass.RISK,
    SensitivityClass.VALUE,
)


def direction_of(before: str, after: str) -> Direction:
    """Which way a customer moves."""
    old, new = LADDER.position(before), LADDER.position(after)
    return "same" if old == new else "up" if new < old else "down"


def is_told_all(viewer: Viewer) -> bool:
    """Whether a viewer is told every count, however small."""
    forms = (MATRIX.disposition(viewer, sensitivity) for sensitivity in _CLEAR_FOR_EXACT)
    return all(form is Disposition.CLEAR for form in forms)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Which counts of one report are hidden; `is_exact` where none ever is."""

    hidden: AbstractSet[Key]
    is_exact: bool = False

    def count(self, key: Key, count: int) -> Told:
        """A count as it is told."""
        if key not in self.hidden:
            return count
        return "<10" if is_small(count) else None

    def is_told(self, key: Key) -> bool:
        """Whether a count, and what depends on it, is told."""
        return key not in self.hidden


def disclosure(report: Report, viewer: Viewer) -> Disclosure:
    """What a viewer is told of a report."""
    if is_told_all(viewer):
        return Disclosure(frozenset(), is_exact=True)
    linked = _Linked(report)
    return Disclosure(hidden_counts(dict(linked.counts()), list(linked.sums())))


@dataclass(frozen=True, slots=True)
class _Linked:
    """The counts of a report, and how they add up."""

    report: Report

    def counts(self) -> Iterator[tuple[Key, int]]:
        """Every count that is told."""
        report = self.report
        yield ("decided",), report.customers - report.undecided
        for name in ("undecided", "refused", "unjudged", "movers"):
            yield (name,), getattr(report, name)
        for view in VIEWS:
            yield from self._counts_of_moves(view)
            yield from self._ways(view)
        for side in _SIDES:
            for shift in report.shifts:
                yield answer_key(shift.outcome, shift.value, side), getattr(shift, side)
            for error in report.input_errors:
                yield ("error", error.error, side), getattr(error, side)
        for way in DIRECTIONS:
            for group in report.fairness:
                yield ("group", group.attribute, group.group, way), getattr(group, way)

    def _counts_of_moves(self, view: View) -> Iterator[tuple[Key, int]]:
        for part, moves in self._parts():
            for move in moves.of(view):
                yield cell_key(part, view, move.before, move.after), move.customers
        for part, moves in self._weighings():
            for side, tiers in zip(_SIDES, tiers_of(moves, view), strict=True):
                for tier, count in tiers.items():
                    yield tier_key(part, view, side, tier), count

    def _ways(self, view: View) -> Iterator[tuple[Key, int]]:
        ways = dict.fromkeys(DIRECTIONS, 0)
        for move in self.report.moves.of(view):
            ways[direction_of(move.before, move.after)] += move.customers
        for way, count in ways.items():
            yield ("way", view, way), count

    def sums(self) -> Iterator[Collection[Key]]:
        """Counts that add up to what is known, or to one of them."""
        yield [("undecided",), ("decided",)]
        for part, moves in self._parts():
            for view in VIEWS:
                yield _cells(part, view, moves)
        for view in VIEWS:
            yield from self._sums_of_moves(view)
            yield from self._sums_by_part(view)
        yield from self._sums_of_groups()
        yield from self._sums_of_answers()

    def _sums_of_moves(self, view: View) -> Iterator[Collection[Key]]:
        """By direction, and by tier before and after."""
        moves = self.report.moves.of(view)
        for way in DIRECTIONS:
            meant = [move for move in moves if direction_of(move.before, move.after) == way]
            yield [
                ("way", view, way),
                *(cell_key(ALL, view, move.before, move.after) for move in meant),
            ]
        for part, weighed in self._weighings():
            for side in _SIDES:
                keys = {tier: [tier_key(part, view, side, tier)] for tier in LADDER.tiers}
                yield [key for one in keys.values() for key in one]
                for move in weighed.of(view):
                    tier = move.before if side == "before" else move.after
                    keys[tier].append(cell_key(part, view, move.before, move.after))
                yield from keys.values()

    def _sums_by_part(self, view: View) -> Iterator[Collection[Key]]:
        """Each move is made by the customers of all lines, and by those of all segments."""
        report = self.report
        for kind, parts in (("line", report.lines), ("segment", report.segments)):
            for move in report.moves.of(view):
                yield [
                    cell_key(ALL, view, move.before, move.after),
                    *(cell_key((kind, part.name), view, move.before, move.after) for part in parts),
                ]
        for part in report.segments:
            own = ("segment", part.name)
            yield [answer_key("segment", part.name, "before"), *_cells(own, view, part.moves)]

    def _sums_of_groups(self) -> Iterator[Collection[Key]]:
        by_attribute: dict[str, list[str]] = {}
        for group in self.report.fairness:
            yield [("group", group.attribute, group.group, way) for way in DIRECTIONS]
            by_attribute.setdefault(group.attribute, []).append(group.group)
        for attribute, groups in by_attribute.items():
            for way in DIRECTIONS:
                keys: list[Key] = [("group", attribute, group, way) for group in groups]
                yield [("way", "evaluated", way), *keys]

    def _sums_of_answers(self) -> Iterator[Collection[Key]]:
        """Of most tables everybody is given one answer; of a set there may be any number."""
        compared = sum(move.customers for move in self.report.moves.evaluated)
        for outcome in {shift.outcome for shift in self.report.shifts}:
            shifts = [shift for shift in self.report.shifts if shift.outcome == outcome]
            for side in _SIDES:
                if sum(getattr(shift, side) for shift in shifts) == compared:
                    yield [answer_key(outcome, shift.value, side) for shift in shifts]

    def _parts(self) -> Iterator[tuple[Key, Moves]]:
        """Every table of moves."""
        yield from self._weighings()
        for kind, parts in (("line", self.report.lines), ("segment", self.report.segments)):
            for part in parts:
                yield (kind, part.name), part.moves

    def _weighings(self) -> Iterator[tuple[Key, Moves]]:
        """The tables of everybody: under the own objective, and under others."""
        yield ALL, self.report.moves
        for part in self.report.objectives:
            yield ("objective", part.name), part.moves


def cell_key(part: Key, view: View, before: str, after: str) -> Key:
    """A cell of a table of moves."""
    return ("cell", *part, view, before, after)


def tier_key(part: Key, view: View, side: str, tier: str) -> Key:
    """Customers of a tier. Before, they are the same ones under every objective."""
    if side == "before":
        part = ALL
    if (part, view) == (ALL, "evaluated"):
        return answer_key("tier", tier, side)
    return ("tier", *part, view, side, tier)


def answer_key(outcome: str, value: str, side: str) -> Key:
    """Customers with one answer of a table."""
    return ("answer", outcome, value, side)


def _cells(part: Key, view: View, moves: Moves) -> list[Key]:
    return [cell_key(part, view, move.before, move.after) for move in moves.of(view)]
