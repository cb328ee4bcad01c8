"""Two simulations side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from pydantic import Field

from app.domain.privacy.roles import Viewer
from app.features.simulations.schemas.report import CountRead, MoveRead, moves_of
from app.features.simulations.schemas.simulations import SimulationListedRead
from app.features.simulations.service import (
    ALL,
    VIEWS,
    Disclosure,
    Key,
    Moves,
    Part,
    Side,
    View,
    disclosure,
)
from app.infra.masking import Open, ReadModel


class CellRead(ReadModel):
    """One cell of two matrices."""

    before: Open[str] = Field(description="Tier by the baseline, which is the same.")
    after: Open[str] = Field(description="Tier by the candidates.")
    this: CountRead = Field(description="Customers under this candidate.")
    other: CountRead = Field(description="Customers under the other candidate.")
    difference: Open[int | None] = Field(
        description="This less the other; null unless both are told."
    )
    premium_difference: Open[Decimal | None] = Field(
        description="Likewise of the annual premium; null unless both are told."
    )


class ComparedRead(ReadModel):
    """Cell by cell, in both views; cells that are empty on both sides are left out."""

    evaluated: list[CellRead] = Field(description="By the rules alone.")
    serving: list[CellRead] = Field(description="After stability and overrides.")


class ComparedPartRead(ComparedRead):
    """A product line or a segment on both sides."""

    name: Open[str] = Field(description="Which one.")


class ComparisonRead(ComparedRead):
    """Two simulations on one day against one baseline."""

    this: SimulationListedRead = Field(description="The simulation of the path.")
    other: SimulationListedRead = Field(description="The one it is compared with.")
    lines: list[ComparedPartRead] = Field(description="By product line.")
    segments: list[ComparedPartRead] = Field(description="By segment.")

    @classmethod
    def of_sides(cls, this: Side, other: Side, viewer: Viewer) -> ComparisonRead:
        """Two simulations, for one role."""
        sides = [(side.report, disclosure(side.report, viewer)) for side in (this, other)]
        moves = [(report.moves, told) for report, told in sides]
        lines = [(report.lines, told) for report, told in sides]
        segments = [(report.segments, told) for report, told in sides]
        return cls(
            this=SimulationListedRead.of_simulation(this.simulation),
            other=SimulationListedRead.of_simulation(other.simulation),
            **_compared(ALL, moves[0], moves[1]),
            lines=list(_parts("line", lines[0], lines[1])),
            segments=list(_parts("segment", segments[0], segments[1])),
        )


_Told = tuple[Moves, Disclosure]
_NOBODY = Moves((), ())


def _parts(
    kind: str,
    this: tuple[Iterable[Part], Disclosure],
    other: tuple[Iterable[Part], Disclosure],
) -> Iterator[ComparedPartRead]:
    mine, theirs = ({part.name: part.moves for part in parts} for parts, _ in (this, other))
    for name in dict.fromkeys((*mine, *theirs)):
        pair = (mine.get(name, _NOBODY), this[1]), (theirs.get(name, _NOBODY), other[1])
        yield ComparedPartRead(name=name, **_compared((kind, name), *pair))


def _compared(part: Key, this: _Told, other: _Told) -> dict[str, list[CellRead]]:
    return {view: _cells(part, view, this, other) for view in VIEWS}


def _cells(part: Key, view: View, this: _Told, other: _Told) -> list[CellRead]:
    mine, theirs = (_by_cell(moves_of(part, view, *side)) for side in (this, other))
    cells = []
    for before, after in sorted({*mine, *theirs}):
        empty = MoveRead(before=before, after=after, customers=0, premium=Decimal(0))
        one, two = (side.get((before, after), empty) for side in (mine, theirs))
        cells.append(
            CellRead(
                before=before,
                after=after,
                this=one.customers,
                other=two.customers,
                difference=(
                    one.customers - two.customers
                    if isinstance(one.customers, int) and isinstance(two.customers, int)
                    else None
                ),
                premium_difference=(
                    None
                    if one.premium is None or two.premium is None
                    else one.premium - two.premium
                ),
            )
        )
    return cells


def _by_cell(moves: Iterable[MoveRead]) -> Mapping[tuple[str, str], MoveRead]:
    return {(move.before, move.after): move for move in moves}
